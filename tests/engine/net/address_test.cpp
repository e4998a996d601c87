#include "engine/net/address.h"

#include <doctest/doctest.h>

#include <optional>

namespace tributary::net {
namespace {

Endpoint endpoint(std::string_view text) {
  auto parsed = parse_endpoint(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

TEST_CASE("HOST:PORT texts are read in all their forms") {
  CHECK(*parse_host_port("example.org:80") == HostPort{"example.org", 80});
  CHECK(*parse_host_port("127.0.0.1:0") == HostPort{"127.0.0.1", 0});
  CHECK(*parse_host_port("[::1]:6881") == HostPort{"::1", 6881});
  CHECK(*parse_host_port(":8080") == HostPort{"127.0.0.1", 8080});
}

TEST_CASE("malformed addresses are refused with a line that shows the right form") {
  for (const char* text : {"", "host", "host:", "host:65536", "host:-1", "host:8o", "::1:80",
                           "[::1:80", "::1]:80", "[]:80", "host: 80", "host:+80"}) {
    CAPTURE(text);
    const auto parsed = parse_host_port(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.find("HOST:PORT") != std::string::npos);
  }
  CHECK_FALSE(parse_endpoint("localhost:80").ok());
  CHECK_FALSE(parse_endpoint("1.2.3:80").ok());
  CHECK_FALSE(parse_host_port(std::string_view("a\0b:80", 6)).ok());
}

TEST_CASE("endpoints survive the way to text and to a socket address and back") {
  for (const char* text : {"127.0.0.1:6881", "255.1.2.3:65535", "[::1]:1", "[2001:db8::7]:0"}) {
    CAPTURE(text);
    const Endpoint parsed = endpoint(text);
    CHECK(format_endpoint(parsed) == text);
    const sockaddr_storage address = to_sockaddr(parsed);
    CHECK(from_sockaddr(reinterpret_cast<const sockaddr&>(address)) == parsed);
  }
  CHECK(endpoint("[::ffff:1.2.3.4]:5") == Endpoint::v4(1, 2, 3, 4, 5));
}

TEST_CASE("addresses that were read are told to be loopback or not") {
  CHECK(endpoint("127.9.9.9:1").is_loopback());
  CHECK(endpoint("[::1]:1").is_loopback());
  CHECK_FALSE(endpoint("128.0.0.1:1").is_loopback());
  CHECK_FALSE(endpoint("[::2]:1").is_loopback());
}

std::optional<Result<std::vector<Endpoint>>> resolved(const HostPort& target) {
  Loop loop;
  std::optional<Result<std::vector<Endpoint>>> answer;
  resolve(loop, target, [&](Result<std::vector<Endpoint>> r) { answer = std::move(r); });
  CHECK_FALSE(answer.has_value());  // never from within the call
  CHECK(loop.run_until([&] { return answer.has_value(); }, 30s));
  return answer;
}

TEST_CASE("numeric hosts and localhost resolve, with the port that was asked for") {
  CHECK((*resolved({"127.0.0.1", 99})).value() ==
        std::vector<Endpoint>{Endpoint::v4(127, 0, 0, 1, 99)});
  const auto answer = resolved({"localhost", 7});
  REQUIRE(answer->ok());
  for (const Endpoint& e : answer->value()) CHECK((e.is_loopback() && e.port == 7));
}

TEST_CASE("a host that cannot exist gives one line that names it") {
  const auto answer = resolved({"no-such-host.invalid", 7});
  REQUIRE_FALSE(answer->ok());
  CHECK(answer->error().message.find("no-such-host.invalid") != std::string::npos);
}

}  // namespace
}  // namespace tributary::net
