#include "engine/net/address.h"

#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "engine/base/check.h"

namespace tributary::net {
namespace {

Error bad_address(std::string_view text, const char* why) {
  return invalid("address \"" + std::string(text) + "\": " + why +
                 "; write HOST:PORT or [IPV6]:PORT");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

Endpoint from_v4(const sockaddr_in& address) {
  std::uint8_t b[4];
  std::memcpy(b, &address.sin_addr, 4);
  return Endpoint::v4(b[0], b[1], b[2], b[3], ntohs(address.sin_port));
}

Endpoint from_v6(const sockaddr_in6& address) {
  Endpoint out;
  std::memcpy(out.address.data(), &address.sin6_addr, 16);
  out.port = ntohs(address.sin6_port);
  return out;
}

std::optional<Endpoint> parse_numeric(const HostPort& target) {
  sockaddr_in v4{};
  if (uv_ip4_addr(target.host.c_str(), target.port, &v4) == 0) {
    return from_v4(v4);
  }
  sockaddr_in6 v6{};
  if (uv_ip6_addr(target.host.c_str(), target.port, &v6) == 0) {
    return from_v6(v6);
  }
  return std::nullopt;
}

struct Lookup {
  uv_getaddrinfo_t uv{};
  HostPort target;
  ResolveCallback callback;
};

Result<std::vector<Endpoint>> lookup_result(const Lookup& lookup, int status, addrinfo* list) {
  if (status != 0) {
    return Error{ErrorCode::kNotFound, "cannot resolve host \"" + lookup.target.host +
                                           "\": " + uv_strerror(status) + "; check the name"};
  }
  std::vector<Endpoint> found;
  for (const addrinfo* at = list; at; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Endpoint endpoint = from_sockaddr(*at->ai_addr);
    endpoint.port = lookup.target.port;
    if (std::find(found.begin(), found.end(), endpoint) == found.end()) found.push_back(endpoint);
  }
  if (found.empty()) {
    return Error{ErrorCode::kNotFound, "host \"" + lookup.target.host + "\" has no IP address"};
  }
  return found;
}

void finish_lookup(uv_getaddrinfo_t* uv, int status, addrinfo* list) {
  const std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(uv->data));
  auto result = lookup_result(*lookup, status, list);
  uv_freeaddrinfo(list);
  lookup->callback(std::move(result));
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return bad_address(text, "the port is not a number from 0 to 65535");
  if (host.starts_with('[') || host.ends_with(']')) {
    if (host.size() < 3 || host.front() != '[' || host.back() != ']') {
      return bad_address(text, "the brackets do not match");
    }
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address needs brackets");
  }
  if (host.find('\0') != std::string_view::npos)
    return bad_address(text, "it contains a zero byte");
  if (host.empty()) host = kLoopbackHost;
  return HostPort{std::string(host), *port};
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  TRIBUTARY_TRY(target, parse_host_port(text));
  const auto endpoint = parse_numeric(target);
  if (!endpoint) return bad_address(text, "the host is not a numeric address");
  return *endpoint;
}

std::string format_address(const Endpoint& endpoint) {
  const sockaddr_storage address = to_sockaddr(endpoint);
  char text[INET6_ADDRSTRLEN] = {};
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  TRIBUTARY_CHECK(uv_ip_name(generic, text, sizeof text) == 0);
  return text;
}

std::string format_endpoint(const Endpoint& endpoint) {
  const std::string address = format_address(endpoint);
  const std::string port = ":" + std::to_string(endpoint.port);
  return endpoint.is_v4() ? address + port : "[" + address + "]" + port;
}

sockaddr_storage to_sockaddr(const Endpoint& endpoint) {
  sockaddr_storage out{};
  if (endpoint.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.address.data() + 12, 4);
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.data(), 16);
  }
  return out;
}

Endpoint from_sockaddr(const sockaddr& address) {
  if (address.sa_family == AF_INET) return from_v4(reinterpret_cast<const sockaddr_in&>(address));
  TRIBUTARY_CHECK(address.sa_family == AF_INET6);
  return from_v6(reinterpret_cast<const sockaddr_in6&>(address));
}

void resolve(Loop& loop, const HostPort& target, ResolveCallback callback) {
  if (const auto numeric = parse_numeric(target)) {
    loop.post([endpoint = *numeric, callback = std::move(callback)] {
      callback(std::vector<Endpoint>{endpoint});
    });
    return;
  }
  auto lookup = std::make_unique<Lookup>();
  lookup->uv.data = lookup.get();
  lookup->target = target;
  lookup->callback = callback;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int rc =
      uv_getaddrinfo(loop.uv(), &lookup->uv, finish_lookup, target.host.c_str(), nullptr, &hints);
  if (rc == 0) return static_cast<void>(lookup.release());  // finish_lookup owns it now
  auto error = lookup_result(*lookup, rc, nullptr);
  loop.post([error = std::move(error), callback = std::move(callback)] { callback(error); });
}

}  // namespace tributary::net
