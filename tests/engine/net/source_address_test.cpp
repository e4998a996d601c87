#include "engine/net/source_address.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "engine/net/address.h"
#include "engine/net/datagram_socket.h"

namespace tributary::net {
namespace {

const Endpoint kAny = Endpoint::v4(0, 0, 0, 0, 7000);
const Endpoint kLoopback = Endpoint::v4(127, 0, 0, 1, 0);
const Endpoint kFar = Endpoint::v4(198, 51, 100, 1, 80);

TEST_CASE("an interface is found by its name and by its address") {
  const auto by_name = find_source("lo");
  REQUIRE(by_name.ok());
  CHECK(by_name->device == "lo");
  CHECK(by_name->v4 == kLoopback);
  const auto by_address = find_source("127.0.0.1");
  REQUIRE(by_address.ok());
  CHECK(by_address->device == "lo");
  CHECK(by_address->v4 == kLoopback);
  CHECK_FALSE(by_address->v6);
}

TEST_CASE("what is no interface here is an error of one line") {
  const auto error = [](std::string_view text) {
    const auto source = find_source(text);
    return source ? "" : source.error().message;
  };
  CHECK(error("no\nsuch0") == "there is no interface no?such0; `ip address` shows what there is");
  CHECK(error("198.51.100.1") ==
        "no interface has the address 198.51.100.1; `ip address` shows what there is");
  CHECK(error("0.0.0.0").starts_with("no interface has the address"));
  CHECK(error("").starts_with("there is no interface"));
}

TEST_CASE("sockets of a loop are bound to its source, but not what stays on the machine") {
  Loop loop;
  CHECK(source_of(loop) == nullptr);
  CHECK(*bound_by_source(loop, kAny) == kAny);
  CHECK_FALSE(source_towards(loop, kFar)->has_value());
  const SourceAddress source{"eth9", Endpoint::v4(192, 0, 2, 1, 0)};
  talk_from(loop, &source);
  CHECK(source_of(loop) == &source);
  CHECK(*bound_by_source(loop, kAny) == Endpoint::v4(192, 0, 2, 1, 7000));
  CHECK(*bound_by_source(loop, kLoopback) == kLoopback);
  CHECK(**source_towards(loop, kFar) == *source.v4);
  CHECK_FALSE(source_towards(loop, kLoopback)->has_value());
  talk_from(loop, nullptr);
  CHECK(*bound_by_source(loop, kAny) == kAny);
}

TEST_CASE("a family of which the interface has no address is not used") {
  Loop loop;
  const SourceAddress source{"eth9", Endpoint::v4(192, 0, 2, 1, 0)};
  talk_from(loop, &source);
  const Endpoint v6{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 80};
  const auto towards = source_towards(loop, v6);
  REQUIRE_FALSE(towards.ok());
  CHECK(towards.error().message == "interface eth9 has no IPv6 address");
  CHECK_FALSE(bound_by_source(loop, Endpoint()).ok());
  const sockaddr_storage remote = to_sockaddr(v6);
  CHECK(open_from_source(loop, SOCK_STREAM, 0, reinterpret_cast<const sockaddr&>(remote)) == -1);
  talk_from(loop, nullptr);
}

TEST_CASE(
    "a socket on any address is on the source's, and one that is dialled with comes from it") {
  Loop loop;
  const auto source = find_source("lo");
  REQUIRE(source.ok());
  talk_from(loop, &*source);
  const auto socket =
      DatagramSocket::bind(loop, Endpoint::v4(0, 0, 0, 0, 0), [](auto, const Endpoint&) {});
  REQUIRE(socket.ok());
  CHECK((*socket)->address().is_loopback());
  const sockaddr_storage remote = to_sockaddr(kFar);
  const int fd = open_from_source(loop, SOCK_STREAM, 0, reinterpret_cast<const sockaddr&>(remote));
  REQUIRE(fd >= 0);
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0);
  CHECK(from_sockaddr(reinterpret_cast<const sockaddr&>(own)).is_loopback());
  close(fd);
  talk_from(loop, nullptr);
}

}  // namespace
}  // namespace tributary::net
