#include "engine/net/tracker_client.h"

#include <doctest/doctest.h>

#include "engine/net/address.h"
#include "engine/net/get_server.h"
#include "engine/net/tracker_server.h"
#include "tests/support/any_port.h"
#include "tests/support/fault_origin.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;

template <class D>
D digest(std::uint8_t fill) {
  D d;
  d.bytes.fill(fill);
  return d;
}

struct Bench {
  Bench() {
    auto made = TrackerServer::serve(loop, kAnyPort, {}, 1);
    REQUIRE(made);
    server = std::move(*made);
  }
  std::unique_ptr<TrackerClient> client(std::uint8_t name, std::uint16_t port,
                                        bool loopback_only = false) {
    return std::make_unique<TrackerClient>(
        loop, http, TrackerIdentity{digest<PeerId>(name), port, name, loopback_only},
        [this](const TrackerClient::Outcome& outcome) { outcomes.push_back(outcome); },
        [this](LogLevel, std::string_view line) { log.emplace_back(line); });
  }
  TrackerClient::Outcome announce(TrackerClient& from, const std::string& tracker,
                                  std::vector<InfoHash> hashes,
                                  core::AnnounceEvent event = core::AnnounceEvent::kStarted,
                                  Bytes left = 1000_B) {
    outcomes.clear();
    core::Announce ask;
    ask.torrent = core::TorrentId(7);
    ask.tracker = tracker;
    ask.event = event;
    ask.left = left;
    from.announce(ask, hashes);
    CHECK(outcomes.empty());
    REQUIRE(loop.run_until([&] { return !outcomes.empty(); }, kPatience));
    CHECK(outcomes.size() == 1);
    CHECK(from.running() == 0);
    return outcomes.front();
  }

  Result<wire::SwarmCounts> scrape(TrackerClient& from, const std::string& tracker,
                                   const InfoHash& hash, Duration timeout = kAnnounceTimeout) {
    std::optional<Result<wire::SwarmCounts>> counts;
    from.scrape(tracker, hash, timeout,
                [&](const Result<wire::SwarmCounts>& result) { counts = result; });
    CHECK_FALSE(counts);
    REQUIRE(loop.run_until([&] { return counts.has_value(); }, kPatience));
    return *counts;
  }

  Loop loop;
  HttpClient http{loop};
  std::unique_ptr<TrackerServer> server;
  std::vector<TrackerClient::Outcome> outcomes;
  std::vector<std::string> log;
};

TEST_CASE("two clients find each other through the tracker, and one leaves") {
  Bench b;
  const auto first = b.client(1, 7001);
  const auto second = b.client(2, 7002);
  const std::vector<InfoHash> hash = {digest<InfoHash>(9)};
  b.announce(*first, b.server->announce_url(), hash);
  auto outcome = b.announce(*second, b.server->announce_url(), hash);
  const auto& reply = std::get<core::AnnounceReply>(outcome);
  CHECK(reply.torrent == core::TorrentId(7));
  CHECK(reply.tracker == b.server->announce_url());
  CHECK(reply.peers == std::vector<Endpoint>{Endpoint::v4(127, 0, 0, 1, 7001)});
  CHECK(reply.interval == wire::TrackerOptions().interval);
  CHECK(b.server->state().counts(hash.front()).leechers == 2);
  b.announce(*first, b.server->announce_url(), hash, core::AnnounceEvent::kStopped);
  CHECK(b.server->state().counts(hash.front()).leechers == 1);
}

TEST_CASE("both hashes of a hybrid are announced and answered once, with all peers") {
  Bench b;
  const auto v1 = b.client(1, 7001);
  const auto v2 = b.client(2, 7002);
  const auto hybrid = b.client(3, 7003);
  const InfoHash a = digest<InfoHash>(1);
  const InfoHash c = digest<InfoHash>(2);
  b.announce(*v1, b.server->announce_url(), {a});
  b.announce(*v2, b.server->announce_url(), {c});
  const auto outcome = b.announce(*hybrid, b.server->announce_url(), {a, c});
  CHECK(std::get<core::AnnounceReply>(outcome).peers.size() == 2);
}

TEST_CASE(
    "a tracker that counts seeds alone is told from one with leechers, and from an empty one") {
  Bench b;
  const auto seed = b.client(1, 7001);
  const auto other = b.client(2, 7002);
  const std::vector<InfoHash> hash = {digest<InfoHash>(9)};
  for (const std::string& url : {b.server->announce_url(), b.server->udp_announce_url()}) {
    const auto only_seeds = [&](TrackerClient& client, Bytes left, core::AnnounceEvent event) {
      const auto outcome = b.announce(client, url, hash, event, left);
      return std::get<core::AnnounceReply>(outcome).only_seeds;
    };
    CHECK(only_seeds(*seed, 0_B, core::AnnounceEvent::kStarted));
    CHECK_FALSE(only_seeds(*other, 1_B, core::AnnounceEvent::kStarted));
    CHECK_FALSE(only_seeds(*seed, 0_B, core::AnnounceEvent::kNone));
    only_seeds(*other, 1_B, core::AnnounceEvent::kStopped);
    CHECK_FALSE(only_seeds(*seed, 0_B, core::AnnounceEvent::kStopped));
  }
}

TEST_CASE("by UDP all is the same: peers, both hashes of a hybrid, the farewell") {
  Bench b;
  const std::string url = b.server->udp_announce_url();
  const auto v1 = b.client(1, 7001);
  const auto v2 = b.client(2, 7002);
  const auto hybrid = b.client(3, 7003);
  const InfoHash a = digest<InfoHash>(1);
  const InfoHash c = digest<InfoHash>(2);
  b.announce(*v1, url, {a});
  b.announce(*v2, b.server->announce_url(), {c});  // they share one memory
  auto outcome = b.announce(*hybrid, url, {a, c});
  const auto& reply = std::get<core::AnnounceReply>(outcome);
  CHECK(reply.tracker == url);
  CHECK(reply.peers.size() == 2);
  CHECK(reply.interval == wire::TrackerOptions().interval);
  CHECK(reply.min_interval == 0s);  // UDP names none: the core knows what is usual
  CHECK(b.server->state().counts(a).leechers == 2);
  b.announce(*hybrid, url, {a, c}, core::AnnounceEvent::kStopped);
  CHECK(b.server->state().counts(a).leechers == 1);
  CHECK(b.server->state().counts(c).leechers == 1);
  CHECK(b.server->announces() == 6);
  CHECK(b.log.empty());
}

// The tracker hears at all of this machine's addresses, and is here under another than loopback's.
TEST_CASE("a port that only this machine reaches is told to this machine's trackers alone") {
  Bench b;
  std::string asked;
  const auto outside =
      GetServer::listen(b.loop, Endpoint::v4(0, 0, 0, 0, 0), [&](const GetRequest& request) {
        asked = request.query;
        return GetAnswer{200, {'d', 'e'}};
      });
  REQUIRE(outside.ok());
  const std::string port = std::to_string((*outside)->address().port);
  const auto client = b.client(1, 7001, true);
  const std::vector<InfoHash> hash = {digest<InfoHash>(9)};
  b.announce(*client, "http://0.0.0.0:" + port + "/announce", hash);
  CHECK(asked.find("&port=0&") != std::string::npos);
  b.announce(*client, "http://127.0.0.1:" + port + "/announce", hash);
  CHECK(asked.find("&port=7001&") != std::string::npos);
}

TEST_CASE("leaving a UDP tracker that does not answer takes the short time-out") {
  Bench b;
  const auto client = b.client(1, 7001);
  const auto silent = DatagramSocket::bind(b.loop, kAnyPort, [](wire::Octets, const Endpoint&) {});
  REQUIRE(silent);
  const std::string url = "udp://" + format_endpoint((*silent)->address());
  CHECK(std::holds_alternative<core::AnnounceFailed>(
      b.announce(*client, url, {digest<InfoHash>(1)}, core::AnnounceEvent::kStopped)));
  REQUIRE(b.log.size() == 1);
  CHECK(b.log.front().starts_with("tracker " + url + ": no answer by UDP within 2 s; "));
}

TEST_CASE("schemes that are not supported fail with a line in the log") {
  Bench b;
  const auto client = b.client(1, 7001);
  const auto outcome = b.announce(*client, "wss://127.0.0.1:6969/announce", {digest<InfoHash>(1)});
  CHECK(std::get<core::AnnounceFailed>(outcome).tracker == "wss://127.0.0.1:6969/announce");
  REQUIRE(b.log.size() == 1);
  CHECK(b.log.front().find("wss://127.0.0.1:6969/announce") != std::string::npos);
}

TEST_CASE("a tracker that answers nonsense or an error has failed") {
  Bench b;
  const auto client = b.client(1, 7001);
  test::FaultOrigin nonsense(b.loop, "<html>not a tracker</html>");
  const std::string url = nonsense.url() + "/announce";
  CHECK(std::holds_alternative<core::AnnounceFailed>(
      b.announce(*client, url, {digest<InfoHash>(1)})));
  test::Fault fault;
  fault.kind = test::Fault::Kind::kStatus;
  nonsense.inject(fault);
  CHECK(std::holds_alternative<core::AnnounceFailed>(
      b.announce(*client, url, {digest<InfoHash>(1)})));
  CHECK(b.log.size() == 2);
}

TEST_CASE("leaving a tracker that does not answer takes the short time-out") {
  Bench b;
  const auto client = b.client(1, 7001);
  test::FaultOrigin silent(b.loop, "x");
  test::Fault fault;
  fault.kind = test::Fault::Kind::kStall;
  silent.inject(fault);
  CHECK(std::holds_alternative<core::AnnounceFailed>(b.announce(
      *client, silent.url() + "/announce", {digest<InfoHash>(1)}, core::AnnounceEvent::kStopped)));
}

TEST_CASE("a scrape counts who announced, by HTTP and by UDP, and nobody of an unknown swarm") {
  Bench b;
  const auto client = b.client(1, 7001);
  const InfoHash hash = digest<InfoHash>(0x41);
  b.announce(*client, b.server->announce_url(), {hash});
  for (const std::string& url : {b.server->announce_url(), b.server->udp_announce_url()}) {
    CHECK(*b.scrape(*client, url, hash) == wire::SwarmCounts{0, 1, 0});
    CHECK(*b.scrape(*client, url, digest<InfoHash>(2)) == wire::SwarmCounts{});
  }
}

TEST_CASE("a scrape that is not offered, refused, too long or no answer at all tells why") {
  Bench b;
  const auto client = b.client(1, 7001);
  const auto why = [&](const std::string& url, Duration timeout = kAnnounceTimeout) {
    const auto counts = b.scrape(*client, url, digest<InfoHash>(1), timeout);
    REQUIRE_FALSE(counts.ok());
    return counts.error();
  };
  CHECK(why("http://127.0.0.1:1/tracker").message.starts_with("tracker has no scrape: its URL"));
  CHECK(why("wss://127.0.0.1:1/announce").code == ErrorCode::kUnsupported);
  test::FaultOrigin refuses(b.loop, "d14:failure reason8:not heree");
  CHECK(why(refuses.url() + "/announce").message == "tracker refuses: not here");
  test::Fault fault;
  fault.kind = test::Fault::Kind::kStatus;
  refuses.inject(fault);
  CHECK(why(refuses.url() + "/announce").message.starts_with("HTTP status 503: "));
  fault.kind = test::Fault::Kind::kStall;
  refuses.inject(fault);
  CHECK(why(refuses.url() + "/announce", 1s).message.starts_with("cannot be reached: http://"));
  test::FaultOrigin nonsense(b.loop, "<html>not a tracker</html>");
  CHECK(why(nonsense.url() + "/announce").code == ErrorCode::kInvalid);
  test::FaultOrigin endless(b.loop, std::string(wire::kMaxTrackerAnswer + 1, 'x'));
  CHECK(why(endless.url() + "/announce").message == "its answer is longer than 1024 KiB");
}

TEST_CASE("a client that goes away drops its scrapes") {
  Bench b;
  test::FaultOrigin silent(b.loop, "x");
  test::Fault fault;
  fault.kind = test::Fault::Kind::kStall;
  silent.inject(fault);
  auto client = b.client(1, 7001);
  const auto never = [](const Result<wire::SwarmCounts>&) { FAIL("nobody answered"); };
  client->scrape(silent.url() + "/announce", InfoHash(), kAnnounceTimeout, never);
  REQUIRE(b.loop.run_until([&] { return !silent.requests().empty(); }, kPatience));
  client->scrape("wss://127.0.0.1:1/announce", InfoHash(), kAnnounceTimeout, never);
  client = nullptr;
  CHECK(b.http.running() == 0);
  bool turned = false;
  b.loop.post([&] { turned = true; });
  REQUIRE(b.loop.run_until([&] { return turned; }, kPatience));
}

TEST_CASE("paths of the tracker other than announce and scrape are not found") {
  Bench b;
  std::optional<HttpReply> reply;
  HttpClientRequest request;
  request.url = b.server->announce_url() + "x";
  b.http.fetch(request, [&](Result<HttpReply> r) { reply = std::move(*r); });
  REQUIRE(b.loop.run_until([&] { return reply.has_value(); }, kPatience));
  CHECK(reply->head.status == 404);
}

}  // namespace
}  // namespace tributary::net
