#include "engine/net/local_discovery_service.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/address.h"
#include "engine/net/datagram_socket.h"
#include "engine/net/local_interface.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 30s;
const Endpoint kLoopback = Endpoint::v4(127, 0, 0, 1, 0);

InfoHash hash_of(std::uint8_t fill) {
  InfoHash hash;
  hash.bytes.fill(fill);
  return hash;
}

// Of this process's own, so that tests side by side do not hear each other.
std::uint16_t group_port() { return static_cast<std::uint16_t>(20000 + getpid() % 20000); }

struct Client {
  Client(Loop& loop, Endpoint at, std::uint16_t port) {
    at.port = port;
    auto started = LocalDiscoveryService::start(
        loop, {.listening = at, .group_port = group_port()},
        [this](const InfoHash& torrent, const Endpoint& peer) {
          heard.push_back({torrent, peer});
        },
        [this](LogLevel, std::string_view line) { why += std::string(line) + "; "; });
    if (started) {
      service = std::move(*started);
    } else {
      why = started.error().message;
    }
  }
  std::unique_ptr<LocalDiscoveryService> service;
  std::string why;
  std::vector<std::pair<InfoHash, Endpoint>> heard;
};

void check_that_two_find_each_other(const Endpoint& at) {
  Loop loop;
  Client a(loop, at, 7001);
  Client b(loop, at, 7002);
  if (a.service) a.service->announce(hash_of(1));
  if (!a.service || !b.service || !a.why.empty()) {
    MESSAGE("skipped: no multicast here: " << a.why << b.why);
    return;
  }
  REQUIRE(loop.run_until([&] { return !b.heard.empty(); }, kPatience));
  b.service->announce(hash_of(2));
  REQUIRE(loop.run_until([&] { return !a.heard.empty(); }, kPatience));
  Endpoint peer = at;
  peer.port = 7001;
  CHECK(b.heard == std::vector{std::pair(hash_of(1), peer)});
  peer.port = 7002;
  CHECK(a.heard == std::vector{std::pair(hash_of(2), peer)});
}

TEST_CASE(
    "two clients of one machine hear of each other by IPv4 multicast, and not of themselves") {
  check_that_two_find_each_other(kLoopback);
}

TEST_CASE("two clients of one machine hear of each other by IPv6 multicast") {
  Endpoint at;
  at.address[15] = 1;
  check_that_two_find_each_other(at);
}

TEST_CASE("an address that is on no network of ours has nobody to tell") {
  Loop loop;
  const Client client(loop, Endpoint::v4(192, 0, 2, 1, 0), 7001);
  CHECK_FALSE(client.service);
  CHECK(client.why.find("no local network") != std::string::npos);
}

TEST_CASE("the network of an address holds its neighbours and nobody else") {
  LocalInterface home{"eth0", Endpoint::v4(192, 168, 4, 20, 0), 96 + 22, false};
  CHECK(home.reaches(Endpoint::v4(192, 168, 7, 255, 1)));
  CHECK_FALSE(home.reaches(Endpoint::v4(192, 168, 8, 0, 1)));
  Endpoint v6;
  CHECK_FALSE(home.reaches(v6));
  home = {"eth0", v6, 64, false};
  v6.address[8] = 0xff;
  CHECK(home.reaches(v6));
  v6.address[7] = 1;
  CHECK_FALSE(home.reaches(v6));
}

TEST_CASE("loopback is the network of who listens there, and never of who listens everywhere") {
  const auto loopback = interfaces_of(Endpoint::v4(127, 0, 0, 1, 6881));
  REQUIRE(loopback.size() == 1);
  CHECK(loopback[0].internal);
  CHECK(loopback[0].prefix_bits == 96 + 8);
  CHECK(loopback[0].address == kLoopback);
  CHECK(std::ranges::none_of(interfaces_of(Endpoint::v4(0, 0, 0, 0, 6881)),
                             [](const LocalInterface& each) { return each.internal; }));
}

}  // namespace
}  // namespace tributary::net
