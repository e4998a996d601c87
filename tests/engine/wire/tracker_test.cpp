#include "engine/wire/tracker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "engine/wire/address.h"
#include "engine/wire/tracker_state.h"
#include "engine/wire/url.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::random_digest;
using testing::text;

const InfoHash kHash = InfoHash::from(as_octets("AAAAAAAAAAAAAAAAAAA "));
PeerId peer_id(int n) {
  PeerId id;
  id.bytes[19] = static_cast<std::uint8_t>(n);
  id.bytes[18] = static_cast<std::uint8_t>(n >> 8);
  return id;
}
TimePoint at(Duration d) { return TimePoint(d); }

AnnounceRequest request(int n, Bytes left = 10_B) {
  AnnounceRequest r;
  r.tracker = "http://t/announce";
  r.info_hash = kHash;
  r.peer_id = peer_id(n);
  r.port = 6881;
  r.left = left;
  return r;
}

// Announces peer n from 10.0.x.y and decodes the answer.
AnnounceAnswer announce(TrackerState& tracker, const AnnounceRequest& r, int n, TimePoint now) {
  const std::string url = announce_url(r);
  const Endpoint from =
      Endpoint::v4(10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 999);
  const auto answer =
      decode_announce_answer(tracker.handle_announce(url.substr(url.find('?') + 1), from, now));
  REQUIRE(answer.ok());
  return *answer;
}

TEST_CASE("an announce URL carries everything percent-encoded and keeps the tracker's own query") {
  AnnounceRequest r = request(1);
  r.tracker = "https://t.example:8443/x/announce?pass=k%20y#frag";
  r.event = core::AnnounceEvent::kStarted;
  r.key = 0xbeef;
  CHECK(announce_url(r) ==
        "https://t.example:8443/x/announce?pass=k%20y&info_hash=AAAAAAAAAAAAAAAAAAA%20&peer_id="
        "%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%01&port=6881&uploaded=0"
        "&downloaded=0&left=10&compact=1&no_peer_id=1&numwant=50&key=0000beef&event=started");
}

TEST_CASE("a scrape URL replaces announce in the last segment only") {
  const std::string h = "info_hash=AAAAAAAAAAAAAAAAAAA%20";
  const InfoHash hashes[] = {kHash};
  CHECK(*scrape_url("http://t/announce", hashes) == "http://t/scrape?" + h);
  CHECK(*scrape_url("http://t/announce/announce.php?k=1", hashes) ==
        "http://t/announce/scrape.php?k=1&" + h);
  CHECK_FALSE(scrape_url("http://t/a", hashes).ok());
  CHECK_FALSE(scrape_url("http://t/announce/x", hashes).ok());
}

TEST_CASE("answers of both models are read, without port 0 and doubles") {
  const std::string v4 = std::string("\x0a\0\0\x01\x1a\xe1", 6);
  const std::string zero = std::string("\x0a\0\0\x02\0\0", 6);
  const auto compact = decode_announce_answer(
      as_octets("d8:completei3e11:external ip4:\x09\x08\x07\x06"
                "10:incompletei4e8:intervali900e12:min intervali60e5:peers18:" +
                v4 + zero + v4 + "6:peers618:" + std::string(15, '\0') + "\x01\x1a\xe1" +
                "15:warning message2:hie"));
  REQUIRE(compact.ok());
  REQUIRE(compact->peers.size() == 2);
  CHECK(compact->peers[0] == Endpoint::v4(10, 0, 0, 1, 6881));
  CHECK_FALSE(compact->peers[1].is_v4());
  CHECK(compact->interval == 900s);
  CHECK(compact->min_interval == 60s);
  CHECK(compact->seeds == 3);
  CHECK(compact->own_address == Endpoint::v4(9, 8, 7, 6, 0));
  CHECK(compact->warning == "hi");
  const auto wordy = decode_announce_answer(
      as_octets("d8:intervali1e5:peersld2:ip8:10.0.0.14:porti6881eed2:ip4:host4:porti1eed2:ip3:::1"
                "4:porti5eeee"));
  REQUIRE(wordy.ok());
  CHECK(wordy->peers.size() == 2);
  CHECK(wordy->interval == kMinAnnounceInterval);
  CHECK(wordy->min_interval == 0s);
  CHECK_FALSE(wordy->own_address);
  const auto v6 = decode_announce_answer(
      as_octets("d11:external ip16:" + std::string(15, '\x20') + "\x01" + "5:peers0:e"));
  REQUIRE(v6.ok());
  CHECK(v6->own_address->address[15] == 1);
  CHECK_FALSE(decode_announce_answer(as_octets("d11:external ip5:abcdee"))->own_address);
  CHECK_FALSE(decode_announce_answer(as_octets("d11:external ipi7ee"))->own_address);
}

TEST_CASE("a tracker tells a peer at which address it sees it") {
  TrackerState tracker({}, 1);
  const auto told = [&](const Endpoint& remote) {
    const std::string query = "info_hash=AAAAAAAAAAAAAAAAAAAA&peer_id=BBBBBBBBBBBBBBBBBBBB&port=1";
    const auto answer = decode_announce_answer(tracker.handle_announce(query, remote, TimePoint()));
    REQUIRE(answer.ok());
    return answer->own_address;
  };
  CHECK(told(Endpoint::v4(9, 8, 7, 6, 5000)) == Endpoint::v4(9, 8, 7, 6, 0));
  Endpoint v6{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 5000};
  const auto seen = told(v6);
  v6.port = 0;
  CHECK(seen == v6);
}

TEST_CASE("failures, malformed answers and wild intervals are handled") {
  const auto error = [](std::string_view s) {
    const auto r = decode_announce_answer(as_octets(s));
    return r ? "" : r.error().message;
  };
  CHECK(error("d14:failure reason4:no\n!e") == "tracker refuses: no?!");
  CHECK(error("le") == "tracker's answer: no dictionary");
  CHECK(error("<html>") == "tracker's answer: byte 0: not the beginning of a value");
  CHECK(error("d5:peers5:abcdee") == "tracker's answer: peers of a broken length");
  CHECK(decode_announce_answer(as_octets("de"))->interval == kDefaultAnnounceInterval);
  CHECK(decode_announce_answer(as_octets("d8:intervali-5ee"))->interval == kMinAnnounceInterval);
  CHECK(decode_announce_answer(as_octets("d8:intervali9223372036854775807ee"))->interval ==
        kMaxAnnounceInterval);
}

TEST_CASE("a tracker introduces peers to each other, never a peer to itself") {
  TrackerState tracker({}, 1);
  CHECK(announce(tracker, request(1), 1, at(0s)).peers.empty());
  CHECK(announce(tracker, request(2), 2, at(1s)).peers ==
        std::vector{Endpoint::v4(10, 0, 0, 1, 6881)});
  CHECK(announce(tracker, request(1), 1, at(2s)).peers ==
        std::vector{Endpoint::v4(10, 0, 0, 2, 6881)});
  const auto third = announce(tracker, request(3, 0_B), 3, at(3s));
  CHECK(third.peers.size() == 2);
  CHECK(third.seeds == 1);
  CHECK(third.leechers == 2);
}

TEST_CASE("stopping and falling silent remove a peer, completing counts once") {
  TrackerState tracker({}, 1);
  announce(tracker, request(1), 1, at(0s));
  announce(tracker, request(2), 2, at(0s));
  AnnounceRequest done = request(1, 0_B);
  done.event = core::AnnounceEvent::kCompleted;
  announce(tracker, done, 1, at(10s));
  announce(tracker, done, 1, at(11s));
  CHECK(tracker.counts(kHash).downloaded == 1);
  CHECK(tracker.counts(kHash).seeds == 1);
  AnnounceRequest stop = request(1);
  stop.event = core::AnnounceEvent::kStopped;
  CHECK(announce(tracker, stop, 1, at(12s)).peers.empty());
  CHECK(tracker.peer_count() == 1);
  tracker.expire(at(std::chrono::minutes(65) - 1us));
  CHECK(tracker.peer_count() == 1);
  tracker.expire(at(std::chrono::minutes(65)));
  CHECK(tracker.peer_count() == 0);
  CHECK(tracker.counts(kHash).downloaded == 1);
}

TEST_CASE("seeds are not given seeds but at their start, and port 0 is not listed") {
  TrackerState tracker({}, 1);
  announce(tracker, request(1, 0_B), 1, at(0s));
  CHECK(announce(tracker, request(2, 0_B), 2, at(0s)).peers.empty());
  AnnounceRequest start = request(2, 0_B);
  start.event = core::AnnounceEvent::kStarted;
  CHECK(announce(tracker, start, 2, at(0s)).peers.size() == 1);
  AnnounceRequest deaf = request(3);
  deaf.port = 0;
  CHECK(announce(tracker, deaf, 3, at(0s)).peers.size() == 2);
  CHECK(tracker.peer_count() == 2);
}

TEST_CASE("memory is bounded and an idle swarm makes room for a new one") {
  TrackerOptions options;
  options.max_peers = 3;
  options.max_swarms = 2;
  TrackerState tracker(options, 1);
  Random random(1);
  for (int n = 0; n < 10; ++n) announce(tracker, request(n), n, at(0s));
  CHECK(tracker.peer_count() == 3);
  tracker.expire(at(std::chrono::hours(2)));
  for (int n = 0; n < 10; ++n) {
    AnnounceRequest other = request(n);
    other.info_hash = random_digest<InfoHash>(random);
    announce(tracker, other, n, at(std::chrono::hours(3)));
  }
  CHECK(tracker.swarm_count() == 2);
  CHECK(tracker.counts(kHash).downloaded == 0);
}

TEST_CASE("answers are bounded, distinct and a function of the seed") {
  const auto run = [](std::uint64_t seed) {
    TrackerState tracker({}, seed);
    AnnounceAnswer last;
    for (int n = 0; n < 600; ++n) {
      AnnounceRequest r = request(n);
      r.want = 1000;
      last = announce(tracker, r, n, at(0s));
    }
    return last.peers;
  };
  const auto peers = run(4);
  CHECK(peers.size() == 200);
  CHECK(std::set(peers.begin(), peers.end()).size() == 200);
  CHECK(peers == run(4));
  CHECK(peers != run(5));
}

TEST_CASE("random comings and goings keep the counts true") {
  TrackerState tracker({}, 6);
  Random random(6);
  std::map<int, bool> model;  // peer to seed
  for (int step = 0; step < 3000; ++step) {
    const int n = static_cast<int>(random.below(40));
    AnnounceRequest r = request(n, random.chance(1, 2) ? 0_B : 5_B);
    if (random.chance(1, 3)) r.event = core::AnnounceEvent::kStopped;
    const auto answer = announce(tracker, r, n, at(0s));
    model.erase(n);
    if (r.event != core::AnnounceEvent::kStopped) model[n] = r.left == 0_B;
    const auto seeds = std::count_if(model.begin(), model.end(), [](auto& p) { return p.second; });
    REQUIRE(tracker.counts(kHash).seeds == seeds);
    REQUIRE(tracker.peer_count() == model.size());
    for (const Endpoint& peer : answer.peers) REQUIRE(peer.address[15] != n);
  }
}

TEST_CASE("IPv6 peers, the wordy model and scrapes are served") {
  TrackerState tracker({}, 1);
  announce(tracker, request(1), 1, at(0s));
  const Endpoint v6 = *parse_address("2001:db8::7", 0);
  const std::string url = announce_url(request(2));
  const std::string query = url.substr(url.find('?') + 1);
  tracker.handle_announce(query, v6, at(0s));
  const auto answer = announce(tracker, request(3), 3, at(0s));
  CHECK(answer.peers.size() == 2);
  CHECK(answer.peers.back() == *parse_address("2001:db8::7", 6881));
  std::string wordy = query;
  wordy.replace(wordy.find("compact=1"), 9, "compact=0");
  const auto listed = decode_announce_answer(tracker.handle_announce(wordy, v6, at(0s)));
  REQUIRE(listed.ok());
  CHECK(listed->peers.size() == 2);
  const InfoHash hashes[] = {kHash, InfoHash{}};
  const std::string scrape = *scrape_url("http://t/announce", hashes);
  const auto scraped = decode_scrape_answer(
      tracker.handle_scrape(scrape.substr(scrape.find('?') + 1), at(0s)), hashes);
  REQUIRE(scraped.ok());
  CHECK(*scraped == std::vector<SwarmCounts>{{0, 3, 0}, {}});
}

TEST_CASE("the hash that was asked for is found among all that a tracker lists") {
  std::string body = "d5:filesd";
  for (int n = 0; n < 200; ++n) {
    const std::string counts =
        "d8:completei" + std::to_string(n) + "e10:downloadedi7e10:incompletei-1ee";
    body += "20:" + std::string(19, 'h') + static_cast<char>(n) + counts;
  }
  body += "ee";
  InfoHash hash;
  hash.bytes.fill('h');
  hash.bytes.back() = 199;
  const auto scraped = decode_scrape_answer(as_octets(body), std::span(&hash, 1));
  REQUIRE(scraped.ok());
  CHECK(*scraped == std::vector<SwarmCounts>{{199, 0, 7}});
}

TEST_CASE("a hash that a tracker wrote as characters in UTF-8 is found") {
  InfoHash hash;
  hash.bytes.fill('A');
  hash.bytes[0] = 0xc3;
  hash.bytes[1] = 0x7f;
  hash.bytes[2] = 0x80;
  const std::string body = "d5:filesd22:\xc3\x83\x7f\xc2\x80" + std::string(17, 'A') +
                           "d8:completei3e10:downloadedi2e10:incompletei1eeee";
  const auto scraped = decode_scrape_answer(as_octets(body), std::span(&hash, 1));
  REQUIRE(scraped.ok());
  CHECK(*scraped == std::vector<SwarmCounts>{{3, 1, 2}});
}

TEST_CASE("an answer to a scrape that lists nothing is none") {
  for (const char* body : {"de", "d5:filesi1ee", "d5:filesle", "le", "nonsense"}) {
    const auto scraped = decode_scrape_answer(as_octets(body), std::span(&kHash, 1));
    CAPTURE(body);
    REQUIRE_FALSE(scraped.ok());
    CHECK(scraped.error().message.starts_with("tracker's answer: "));
  }
}

TEST_CASE("bad queries get a failure reason") {
  TrackerState tracker({}, 1);
  const auto reason = [&](const std::string& query) {
    const auto r = decode_announce_answer(tracker.handle_announce(query, {}, at(0s)));
    return r ? "" : r.error().message;
  };
  const std::string id = "&peer_id=" + std::string(20, 'p');
  const std::string hash = "info_hash=" + std::string(20, 'h');
  CHECK(reason("") == "tracker refuses: info_hash is not 20 percent-encoded bytes");
  CHECK(reason(hash) == "tracker refuses: peer_id is not 20 percent-encoded bytes");
  CHECK(reason(hash + id) == "tracker refuses: port is missing");
  CHECK(reason(hash + id + "&port=65536") ==
        "tracker refuses: port is not a number from 0 to 65535");
  CHECK(reason("info_hash=%zz" + id) ==
        "tracker refuses: info_hash is not 20 percent-encoded bytes");
  CHECK(reason(std::string(9000, 'x')) == "tracker refuses: query is longer than 8 KiB");
  CHECK(reason(hash + id + "&port=1&numwant=-1").empty());
  const auto scrape = decode_scrape_answer(tracker.handle_scrape("", at(0s)), {});
  REQUIRE_FALSE(scrape.ok());
  CHECK(scrape.error().message.find("info_hash is missing") != std::string::npos);
}

TEST_CASE("addresses are parsed and printed") {
  for (const char* good : {"10.0.0.1", "255.255.255.255", "::1", "::", "2001:db8::1",
                           "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "fe80::1:2"}) {
    CAPTURE(good);
    const auto parsed = parse_address(good, 1);
    REQUIRE(parsed.has_value());
    CHECK(parse_address(format_address(*parsed), 1) == parsed);
  }
  CHECK(format_address(*parse_address("::ffff:10.0.0.1", 1)) == "10.0.0.1");
  for (const char* bad :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "12345::", "1:2:3:4:5:6:7:8::", "1.2.3.4:80", "::1.2.3", "g::"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_address(bad, 1).has_value());
  }
}

}  // namespace
}  // namespace tributary::wire
