#include "engine/wire/udp_tracker_service.h"

#include <doctest/doctest.h>

#include "engine/wire/tracker.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

constexpr UdpTransactionId kTransaction{42};
const Endpoint kClient = Endpoint::v4(10, 0, 0, 1, 4000);

TimePoint at(Duration d) { return TimePoint(d); }

Endpoint far(std::uint8_t last, std::uint16_t port = 4000) {
  Endpoint out;
  out.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
  out.port = port;
  return out;
}

struct Bench {
  TrackerState state{{}, 1};
  UdpTrackerService service{state, testing::kDigester, UdpTrackerService::Key{1, 2, 3}};

  UdpTrackerAnswer ask(const UdpTrackerRequest& request, const Endpoint& from, TimePoint now) {
    const auto answer = service.handle(encode_udp_request(request), from, now);
    REQUIRE(answer);
    const auto decoded = decode_udp_answer(*answer, family_of(from));
    REQUIRE(decoded.ok());
    return *decoded;
  }
  UdpConnectionId connect(const Endpoint& from, TimePoint now) {
    return std::get<UdpConnected>(ask(UdpConnect{kTransaction}, from, now)).connection;
  }
  UdpTrackerAnswer announce(const Endpoint& from, TimePoint now, UdpConnectionId connection) {
    UdpAnnounce request{connection, kTransaction, {}, 0, "/announce"};
    request.query.port = from.port;
    request.query.left = 1_B;
    request.query.peer_id.bytes[0] = from.address[15];
    return ask(request, from, now);
  }
  UdpAnnounced announce(const Endpoint& from, TimePoint now = at(0s)) {
    return std::get<UdpAnnounced>(announce(from, now, connect(from, now)));
  }
};

TEST_CASE("peers are introduced to each other, within their family") {
  Bench b;
  CHECK(b.announce(kClient) == UdpAnnounced{kTransaction, TrackerOptions().interval, 1, 0, {}});
  const Endpoint second = Endpoint::v4(10, 0, 0, 2, 5000);
  CHECK(b.announce(second).peers == std::vector<Endpoint>{kClient});
  CHECK(b.announce(far(3)).peers.empty());
  const UdpAnnounced answer = b.announce(far(4));
  CHECK(answer.peers == std::vector<Endpoint>{far(3)});
  CHECK(answer.leechers == 4);
  CHECK(b.service.announces() == 4);
}

TEST_CASE("a scrape counts the hashes in their order, unknown ones too") {
  Bench b;
  b.announce(kClient);
  InfoHash unknown;
  unknown.bytes[0] = 9;
  const UdpScrape scrape{b.connect(kClient, at(0s)), kTransaction, {unknown, InfoHash(), unknown}};
  const auto answer = std::get<UdpScraped>(b.ask(scrape, kClient, at(1s)));
  CHECK(answer.counts == std::vector<SwarmCounts>{SwarmCounts{}, {0, 1, 0}, SwarmCounts{}});
  const UdpScrape again{b.connect(kClient, at(66min)), kTransaction, {InfoHash()}};
  const auto later = std::get<UdpScraped>(b.ask(again, kClient, at(66min)));
  CHECK(later.counts == std::vector<SwarmCounts>{SwarmCounts{}});  // it fell silent
}

TEST_CASE("a connection id is good for its address only, and for at least two minutes") {
  Bench b;
  for (const Duration sent : {0s, 59s, 60s}) {
    const UdpConnectionId id = b.connect(kClient, at(sent));
    const auto good = [&](const Endpoint& from, Duration now) {
      return std::holds_alternative<UdpAnnounced>(b.announce(from, at(now), id));
    };
    CHECK(good(kClient, sent));
    CHECK(good(kClient, sent + 2min));
    CHECK_FALSE(good(kClient, sent + 3min));
    CHECK_FALSE(good(Endpoint::v4(10, 0, 0, 2, 4000), sent));
    Endpoint other_port = kClient;
    other_port.port = 1;
    CHECK(good(other_port, sent));
  }
}

TEST_CASE("another key gives other connection ids") {
  Bench b;
  UdpTrackerService other(b.state, testing::kDigester, {9});
  const auto answer = other.handle(encode_udp_request(UdpConnect{kTransaction}), kClient, at(0s));
  REQUIRE(answer);
  CHECK(std::get<UdpConnected>(*decode_udp_answer(*answer, AddressFamily::kV4)).connection !=
        b.connect(kClient, at(0s)));
}

TEST_CASE("without a good connection id no answer is longer than its request, nothing is kept") {
  Bench b;
  const UdpTrackerRequest requests[] = {UdpConnect{kTransaction},
                                        UdpAnnounce{UdpConnectionId(7), kTransaction, {}, 0, {}},
                                        UdpScrape{UdpConnectionId(7), kTransaction, {InfoHash()}}};
  for (const UdpTrackerRequest& request : requests) {
    const OctetBuffer encoded = encode_udp_request(request);
    const auto answer = b.service.handle(encoded, kClient, at(0s));
    REQUIRE(answer);
    CHECK(answer->size() <= encoded.size());
  }
  CHECK(b.announce(kClient, at(0s), UdpConnectionId(7)) ==
        UdpTrackerAnswer(UdpRefused{kTransaction, "unknown connection id"}));
  CHECK(b.state.peer_count() == 0);
  CHECK(b.service.announces() == 0);
  CHECK_FALSE(b.service.handle(OctetBuffer(16, 1), kClient, at(0s)));
  CHECK_FALSE(b.service.handle({}, kClient, at(0s)));
}

TEST_CASE("however many peers there are, an answer fits a datagram of its family") {
  Bench b;
  for (int n = 0; n < 300; ++n) {
    const auto low = static_cast<std::uint8_t>(n);
    b.announce(Endpoint::v4(10, 1, static_cast<std::uint8_t>(n >> 8), low, 1));
    Endpoint v6 = far(low, static_cast<std::uint16_t>(1 + n));
    b.announce(v6);
  }
  const auto size = [&](const Endpoint& from) {
    UdpAnnounce request{b.connect(from, at(0s)), kTransaction, {}, 0, {}};
    request.query.port = 1;
    request.query.peer_id.bytes[5] = 1;
    request.query.want = INT32_MAX;
    return b.service.handle(encode_udp_request(request), from, at(0s))->size();
  };
  CHECK(size(kClient) <= 1500 - 28);
  CHECK(size(kClient) >= 20 + 150 * 6);
  CHECK(size(far(1)) <= 1280 - 48);
}

}  // namespace
}  // namespace tributary::wire
