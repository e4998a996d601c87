#include "engine/wire/udp_tracker.h"

#include <doctest/doctest.h>

#include "engine/wire/tracker.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::bytes;

template <class D>
D digest(char fill) {
  D d;
  d.bytes.fill(static_cast<std::uint8_t>(fill));
  return d;
}

std::string hex(const OctetBuffer& octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t b : octets) (out += kDigits[b >> 4]) += kDigits[b & 15];
  return out;
}

UdpAnnounce announce() {
  UdpAnnounce r{UdpConnectionId(0x1122334455667788), UdpTransactionId(0xa1b2c3d4), {}, 0xbeef, {}};
  r.query.info_hash = digest<InfoHash>('h');
  r.query.peer_id = digest<PeerId>('p');
  r.query.port = 6881;
  r.query.downloaded = 1_B;
  r.query.left = 2_B;
  r.query.uploaded = 3_B;
  r.query.event = core::AnnounceEvent::kStarted;
  r.query.want = 50;
  return r;
}

std::string error_of(Octets request) {
  const auto decoded = decode_udp_request(request);
  return decoded ? "" : decoded.error().message;
}

TEST_CASE("requests have the bytes that BEP 15 draws") {
  CHECK(hex(encode_udp_request(UdpConnect{UdpTransactionId(0xa1b2c3d4)})) ==
        "0000041727101980"
        "00000000"
        "a1b2c3d4");
  const std::string head = "112233445566778800000001a1b2c3d4";
  std::string forty;
  for (int i = 0; i < 20; ++i) forty += "68";
  for (int i = 0; i < 20; ++i) forty += "70";
  CHECK(hex(encode_udp_request(announce())) == head + forty +
                                                   "0000000000000001"
                                                   "0000000000000002"
                                                   "0000000000000003"
                                                   "00000002"
                                                   "00000000"
                                                   "0000beef"
                                                   "00000032"
                                                   "1ae1");
  const UdpScrape scrape{UdpConnectionId(1), UdpTransactionId(2), {digest<InfoHash>('h')}};
  CHECK(hex(encode_udp_request(scrape)) ==
        "00000000000000010000000200000002" + forty.substr(0, 40));
}

TEST_CASE("the events have numbers of their own") {
  const std::pair<core::AnnounceEvent, std::uint8_t> rows[] = {{core::AnnounceEvent::kNone, 0},
                                                               {core::AnnounceEvent::kCompleted, 1},
                                                               {core::AnnounceEvent::kStarted, 2},
                                                               {core::AnnounceEvent::kStopped, 3}};
  for (const auto& [event, number] : rows) {
    UdpAnnounce r = announce();
    r.query.event = event;
    const OctetBuffer encoded = encode_udp_request(r);
    CHECK(encoded[83] == number);
    CHECK(std::get<UdpAnnounce>(*decode_udp_request(encoded)).query.event == event);
  }
  OctetBuffer unknown = encode_udp_request(announce());
  unknown[83] = 9;
  CHECK(std::get<UdpAnnounce>(*decode_udp_request(unknown)).query.event ==
        core::AnnounceEvent::kNone);
}

TEST_CASE("requests come back as they were") {
  UdpAnnounce with_path = announce();
  with_path.url_data = "/announce?" + std::string(900, 'k');  // four options
  const UdpTrackerRequest requests[] = {
      UdpConnect{UdpTransactionId(7)}, announce(), with_path,
      UdpScrape{UdpConnectionId(1), UdpTransactionId(2),
                std::vector<InfoHash>(kMaxScrapeHashes, digest<InfoHash>('s'))}};
  for (const UdpTrackerRequest& request : requests) {
    const OctetBuffer encoded = encode_udp_request(request);
    CHECK(encoded.size() <= kMaxUdpRequest);
    const auto decoded = decode_udp_request(encoded);
    REQUIRE(decoded.ok());
    CHECK(*decoded == request);
  }
}

TEST_CASE("of a request not a byte may be missing") {
  const UdpTrackerRequest requests[] = {
      UdpConnect{UdpTransactionId(7)}, announce(),
      UdpScrape{UdpConnectionId(1), UdpTransactionId(2), {digest<InfoHash>('s')}}};
  for (const UdpTrackerRequest& request : requests) {
    const OctetBuffer encoded = encode_udp_request(request);
    for (std::size_t size = 0; size < encoded.size(); ++size) {
      CHECK_FALSE(decode_udp_request(Octets(encoded).first(size)).ok());
    }
  }
}

TEST_CASE("requests that make no sense are refused") {
  OctetBuffer r = encode_udp_request(UdpConnect{UdpTransactionId(7)});
  r[0] ^= 1;
  CHECK(error_of(r) == "connect of another protocol");
  r = encode_udp_request(announce());
  r[11] = 4;
  CHECK(error_of(r) == "unknown action");
  UdpScrape most{UdpConnectionId(1), UdpTransactionId(2),
                 std::vector<InfoHash>(kMaxScrapeHashes, digest<InfoHash>('s'))};
  r = encode_udp_request(most);
  append(r, digest<InfoHash>('s').bytes);
  CHECK(error_of(r) == "scrape of more than 74 hashes");
  r.resize(kMaxUdpRequest + 1);
  CHECK(error_of(r) == "request is too long");
}

TEST_CASE("bytes left below zero mean that a client does not know, not that it has everything") {
  OctetBuffer r = encode_udp_request(announce());
  for (std::size_t i = 64; i < 72; ++i) r[i] = 0xff;
  CHECK(std::get<UdpAnnounce>(*decode_udp_request(r)).query.left == Bytes(INT64_MAX));
}

TEST_CASE("a number of peers below zero stands for what is usual, and options end at nonsense") {
  OctetBuffer r = encode_udp_request(announce());
  for (std::size_t i = 92; i < 96; ++i) r[i] = 0xff;
  CHECK(std::get<UdpAnnounce>(*decode_udp_request(r)).query.want == AnnounceQuery().want);
  const auto url_data = [&](std::string_view options) {
    OctetBuffer with = encode_udp_request(announce());
    append(with, as_octets(options));
    return std::get<UdpAnnounce>(*decode_udp_request(with)).url_data;
  };
  CHECK(url_data(std::string_view("\x01\x02\x02/a\x09\x01?\x02\x01"
                                  "b\x00\x02\x01"
                                  "c",
                                  15)) == "/ab");  // a NOP, an unknown one, the end
  CHECK(url_data("\x02\x03/a") == "");
  CHECK(url_data("\x02") == "");
  std::string many;
  for (int i = 0; i < 7; ++i) many += "\x02\xff" + std::string(255, 'u');
  CHECK(url_data(many).size() == kMaxUdpUrlData);
}

TEST_CASE("answers have the bytes that BEP 15 draws, and come back as they were") {
  const UdpTransactionId id(0xa1b2c3d4);
  const auto check = [](const UdpTrackerAnswer& answer, AddressFamily family,
                        const std::string& wanted) {
    const OctetBuffer encoded = encode_udp_answer(answer, family);
    CHECK(hex(encoded) == wanted);
    CHECK(transaction_of_udp_answer(encoded) == UdpTransactionId(0xa1b2c3d4));
    const auto decoded = decode_udp_answer(encoded, family);
    REQUIRE(decoded.ok());
    CHECK(*decoded == answer);
  };
  check(UdpConnected{id, UdpConnectionId(5)}, AddressFamily::kV4,
        "00000000a1b2c3d40000000000000005");
  const UdpAnnounced v4{id, 1800s, 3, 4, {Endpoint::v4(10, 0, 0, 1, 6881)}};
  check(v4, AddressFamily::kV4,
        "00000001a1b2c3d4"
        "000007080000000300000004"
        "0a0000011ae1");
  Endpoint far;
  far.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  far.port = 80;
  check(UdpAnnounced{id, 1800s, 3, 4, {far}}, AddressFamily::kV6,
        "00000001a1b2c3d4"
        "000007080000000300000004"
        "20010db80000000000000000000000090050");
  check(UdpScraped{id, {{1, 2, 3}}}, AddressFamily::kV4,
        "00000002a1b2c3d4"
        "000000010000000300000002");
  check(UdpRefused{id, "no"}, AddressFamily::kV4, "00000003a1b2c3d46e6f");
}

TEST_CASE("answers that are cut short are errors, and what is in them is bounded") {
  const auto read = [](std::string_view hex_digits, AddressFamily family = AddressFamily::kV4) {
    OctetBuffer out;
    for (std::size_t i = 0; i < hex_digits.size(); i += 2) {
      out.push_back(
          static_cast<std::uint8_t>(std::stoi(std::string(hex_digits.substr(i, 2)), nullptr, 16)));
    }
    return decode_udp_answer(out, family);
  };
  const auto error = [&](std::string_view digits, AddressFamily family = AddressFamily::kV4) {
    const auto answer = read(digits, family);
    return answer ? "" : answer.error().message;
  };
  CHECK(error("") == "tracker's answer: shorter than 8 bytes");
  CHECK(error("0000000400000001") == "tracker's answer: unknown action");
  CHECK(error("000000000000000100000000000000") ==
        "tracker's answer: a connect's is shorter than 16 bytes");
  CHECK(error("00000001000000010000000000000000000000") ==
        "tracker's answer: an announce's is shorter than 20 bytes");
  const std::string announced = "0000000100000001ffffffffffffffff80000000";
  CHECK(error(announced + "0a0000011a") == "tracker's answer: peers of a broken length");
  CHECK(error(announced + "0a0000011ae1", AddressFamily::kV6) ==
        "tracker's answer: peers of a broken length");
  CHECK(error("000000020000000100000001") == "tracker's answer: counts of a broken length");
  const auto wild = std::get<UdpAnnounced>(*read(announced + "0a0000010000"));
  CHECK(wild.interval == kMinAnnounceInterval);
  CHECK(wild.leechers == 0);
  CHECK(wild.seeds == 0);
  CHECK(wild.peers.empty());  // port 0
  CHECK(std::get<UdpAnnounced>(*read("00000001000000017fffffff0000000000000000")).interval ==
        kMaxAnnounceInterval);
  CHECK(std::get<UdpRefused>(*read("00000003000000016e0a6f0078")).reason == "n?o");
}

TEST_CASE("the URL of a UDP tracker names host and port, and its path goes along") {
  const auto parsed = parse_udp_tracker("UDP://tracker.example:6969/announce?k=1#frag");
  REQUIRE(parsed.ok());
  CHECK(*parsed == UdpTrackerUrl{"tracker.example", 6969, "/announce?k=1"});
  CHECK(*parse_udp_tracker("udp://[2001:db8::1]:80") == UdpTrackerUrl{"2001:db8::1", 80, ""});
  CHECK(is_udp_url("udp://t:1"));
  CHECK_FALSE(is_udp_url("http://t:1"));
  CHECK_FALSE(is_udp_url("udpx://t:1"));
  CHECK_FALSE(is_udp_url("udp"));
  const std::pair<std::string, std::string> rows[] = {
      {"udp://t", "the port is missing"},
      {"udp://[::1]", "the port is missing"},
      {"udp://t:0/", "the port is not a number from 1 to 65535"},
      {"udp://t:65536", "the port is not a number from 1 to 65535"},
      {"udp://t:8x", "the port is not a number from 1 to 65535"},
      {"udp://:80", "the host is missing"},
      {"udp://user@t:80", "the host is not one"},
      {"udp://" + std::string(256, 'h') + ":80", "the host is not one"},
      {"udp:t:80", "the URL is not of udp"},
      {"udp://t:80/a b", "the URL is too long or has spaces"},
      {"udp://t:80/" + std::string(kMaxUdpUrlData, 'p'), "the path is longer than a datagram"},
  };
  for (const auto& [url, why] : rows) {
    const auto broken = parse_udp_tracker(url);
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().message == why + "; a UDP tracker is udp://HOST:PORT/announce");
  }
}

}  // namespace
}  // namespace tributary::wire
