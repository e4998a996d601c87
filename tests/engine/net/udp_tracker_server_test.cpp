#include "engine/net/udp_tracker_server.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "engine/net/address.h"
#include "engine/net/tracker_server.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;

struct Asker {
  explicit Asker(Loop& on, const Endpoint& server) : loop(on) {
    auto connected = DatagramSocket::connect(
        loop, server,
        [this](wire::Octets datagram, const Endpoint&) {
          answer = *wire::decode_udp_answer(datagram, wire::AddressFamily::kV4);
        },
        [](const Error& error) { FAIL(error.message); });
    REQUIRE(connected.ok());
    socket = std::move(*connected);
  }
  wire::UdpTrackerAnswer ask(const wire::UdpTrackerRequest& request) {
    answer.reset();
    REQUIRE(socket->send(wire::encode_udp_request(request)).ok());
    REQUIRE(loop.run_until([&] { return answer.has_value(); }, kPatience));
    return *answer;
  }

  Loop& loop;
  std::optional<wire::UdpTrackerAnswer> answer;
  std::unique_ptr<DatagramSocket> socket;
};

TEST_CASE("UDP has the port of HTTP and the same memory, and scrapes are answered") {
  Loop loop;
  const auto server = TrackerServer::serve(loop, kAnyPort, {}, 1);
  REQUIRE(server.ok());
  CHECK((*server)->udp_announce_url() ==
        "udp://" + format_endpoint((*server)->address()) + "/announce");
  Asker asker(loop, (*server)->address());
  const wire::UdpTransactionId id(5);
  const auto connection = std::get<wire::UdpConnected>(asker.ask(wire::UdpConnect{id})).connection;
  wire::UdpAnnounce announce{connection, id, {}, 0, {}};
  announce.query.port = 9;
  CHECK(std::get<wire::UdpAnnounced>(asker.ask(announce)).seeds == 1);
  CHECK((*server)->state().peer_count() == 1);
  const auto scraped = std::get<wire::UdpScraped>(
      asker.ask(wire::UdpScrape{connection, id, {announce.query.info_hash}}));
  CHECK(scraped.counts == std::vector<wire::SwarmCounts>{{1, 0, 0}});
}

TEST_CASE("what is no request gets no answer, and does no harm") {
  Loop loop;
  const auto server = TrackerServer::serve(loop, kAnyPort, {}, 1);
  REQUIRE(server.ok());
  Asker asker(loop, (*server)->address());
  for (const std::size_t size : {0U, 1U, 16U, 98U, 2000U, 8000U, 9000U}) {
    REQUIRE(asker.socket->send(wire::OctetBuffer(size, 0xff)).ok());
  }
  CHECK(std::holds_alternative<wire::UdpConnected>(
      asker.ask(wire::UdpConnect{wire::UdpTransactionId(5)})));
}

TEST_CASE("a port that is taken by UDP is told, with what to do") {
  Loop loop;
  const auto first = TrackerServer::serve(loop, kAnyPort, {}, 1);
  REQUIRE(first.ok());
  const Endpoint at = (*first)->address();
  wire::TrackerState state({}, 1);
  const auto second = UdpTrackerServer::serve(loop, at, state);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message ==
        "cannot listen on " + format_endpoint(at) +
            " by UDP: address already in use; choose another with --listen, or give --no-udp");
}

}  // namespace
}  // namespace tributary::net
