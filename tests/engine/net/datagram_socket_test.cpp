#include "engine/net/datagram_socket.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/net/address.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;

using Octets = std::vector<std::uint8_t>;
constexpr auto kMost = static_cast<std::size_t>(kMaxDatagram.count());

struct Inbox {
  DatagramSocket::Receive receive() {
    return [this](std::span<const std::uint8_t> datagram, const Endpoint& from) {
      datagrams.emplace_back(datagram.begin(), datagram.end());
      sender = from;
    };
  }
  DatagramSocket::Unreachable unreachable() {
    return [this](const Error& e) { error = e.message; };
  }
  std::vector<Octets> datagrams;
  Endpoint sender;
  std::optional<std::string> error;
};

TEST_CASE("a datagram goes there and back") {
  Loop loop;
  Inbox at_server;
  Inbox at_client;
  const auto server = DatagramSocket::bind(loop, kAnyPort, at_server.receive());
  REQUIRE(server.ok());
  CHECK((*server)->address().port != 0);
  const auto client = DatagramSocket::connect(loop, (*server)->address(), at_client.receive(),
                                              at_client.unreachable());
  REQUIRE(client.ok());
  REQUIRE((*client)->send(Octets{1, 2}).ok());
  REQUIRE(loop.run_until([&] { return !at_server.datagrams.empty(); }, kPatience));
  CHECK(at_server.datagrams.front() == Octets{1, 2});
  CHECK(at_server.sender.port == (*client)->address().port);
  (*server)->send_to(Octets{3}, at_server.sender);
  REQUIRE(loop.run_until([&] { return !at_client.datagrams.empty(); }, kPatience));
  CHECK(at_client.datagrams == std::vector<Octets>{{3}});
  CHECK(at_client.sender == (*server)->address());
}

TEST_CASE("datagrams that are too long are dropped") {
  Loop loop;
  Inbox inbox;
  const auto server = DatagramSocket::bind(loop, kAnyPort, inbox.receive());
  REQUIRE(server.ok());
  const auto client =
      DatagramSocket::connect(loop, (*server)->address(), inbox.receive(), inbox.unreachable());
  REQUIRE(client.ok());
  REQUIRE((*client)->send(Octets(kMost + 1)).ok());
  REQUIRE((*client)->send(Octets(kMost)).ok());
  REQUIRE(loop.run_until([&] { return !inbox.datagrams.empty(); }, kPatience));
  CHECK(inbox.datagrams.front().size() == kMost);
}

TEST_CASE("a far end that does not listen is reported, and a port that is taken") {
  Loop loop;
  Inbox inbox;
  auto server = DatagramSocket::bind(loop, kAnyPort, inbox.receive());
  REQUIRE(server.ok());
  const Endpoint at = (*server)->address();
  const auto second = DatagramSocket::bind(loop, at, inbox.receive());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message == "cannot listen on 127.0.0.1:" + std::to_string(at.port) +
                                      " by UDP: address already in use");
  *server = nullptr;
  const auto client = DatagramSocket::connect(loop, at, inbox.receive(), inbox.unreachable());
  REQUIRE(client.ok());
  // The system closes the server's port at a later turn only.
  REQUIRE(loop.run_until(
      [&] {
        if (const auto sent = (*client)->send(Octets{1}); !sent) inbox.error = sent.error().message;
        return inbox.error.has_value();
      },
      kPatience));
  CHECK(*inbox.error ==
        "cannot reach 127.0.0.1:" + std::to_string(at.port) + " by UDP: connection refused");
}

TEST_CASE("datagrams that leave together arrive each at its own place, one that cannot go aside") {
  Loop loop;
  Inbox first;
  Inbox second;
  const auto a = DatagramSocket::bind(loop, kAnyPort, first.receive());
  const auto b = DatagramSocket::bind(loop, kAnyPort, second.receive());
  const auto sender = DatagramSocket::bind(loop, kAnyPort, {});
  REQUIRE(sender.ok());
  (*sender)->gather(Octets{1}, (*a)->address());
  (*sender)->gather(Octets(100'000), (*a)->address());  // no datagram is as long
  (*sender)->gather(Octets{2, 2}, (*b)->address());
  (*sender)->gather(Octets{3}, (*a)->address());
  (*sender)->send_gathered();
  (*sender)->send_gathered();  // nothing is left
  REQUIRE(loop.run_until([&] { return first.datagrams.size() == 2 && !second.datagrams.empty(); },
                         kPatience));
  CHECK(first.datagrams == std::vector<Octets>{{1}, {3}});
  CHECK(second.datagrams == std::vector<Octets>{{2, 2}});
  for (std::size_t i = 0; i < kMaxGathered; ++i) (*sender)->gather(Octets{4}, (*b)->address());
  REQUIRE(loop.run_until([&] { return second.datagrams.size() == 1 + kMaxGathered; }, kPatience));
}

// The same for a socket that talks with many.
TEST_CASE("where nobody listens is told, by address, and does not disturb what goes elsewhere") {
  for (const Endpoint& any : {kAnyPort, *parse_endpoint("[::1]:0")}) {
    Loop loop;
    Inbox inbox;
    std::vector<Endpoint> nobody;
    Endpoint gone;
    {
      auto other = DatagramSocket::bind(loop, any, inbox.receive());
      REQUIRE(other.ok());
      gone = (*other)->address();
    }
    bool turned = false;  // the system closes the port at a later turn only
    loop.post([&] { turned = true; });
    REQUIRE(loop.run_until([&] { return turned; }, kPatience));
    const auto server = DatagramSocket::bind(loop, any, inbox.receive());
    const auto client = DatagramSocket::bind(loop, any, inbox.receive(),
                                             [&](const Endpoint& to) { nobody.push_back(to); });
    REQUIRE(client.ok());
    CHECK((*client)->send_to(Octets{1}, gone));
    CHECK((*client)->send_to(Octets{2}, (*server)->address()));
    CHECK((*client)->send_to(Octets{3}, (*server)->address()));
    REQUIRE(
        loop.run_until([&] { return !nobody.empty() && inbox.datagrams.size() == 2; }, kPatience));
    CHECK(nobody == std::vector<Endpoint>{gone});
    CHECK(inbox.datagrams == std::vector<Octets>{{2}, {3}});
  }
}

}  // namespace
}  // namespace tributary::net
