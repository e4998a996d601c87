// HOST:PORT texts, Endpoints and the socket addresses of the system.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/loop.h"

namespace tributary::net {

inline constexpr std::string_view kLoopbackHost = "127.0.0.1";

// Reads "host:port", "[v6]:port" and ":port", which means loopback. Port 0 is allowed: it asks the
// system to choose when listening.
Result<HostPort> parse_host_port(std::string_view text);

// Reads a numeric address: "127.0.0.1:0", "[::1]:6881", ":8080". Names are an error: see resolve().
Result<Endpoint> parse_endpoint(std::string_view text);

// "127.0.0.1:6881", "[::1]:6881".
std::string format_endpoint(const Endpoint& endpoint);
// The address alone: "127.0.0.1", "::1".
std::string format_address(const Endpoint& endpoint);

// IPv4 for v4-mapped addresses, IPv6 otherwise.
sockaddr_storage to_sockaddr(const Endpoint& endpoint);
// REQUIRES: the family is AF_INET or AF_INET6.
Endpoint from_sockaddr(const sockaddr& address);

// Looks the host up by the system's resolver on the thread pool, and calls back once, on a later
// turn of the loop, with at least one address or an error. Numeric hosts never reach the resolver.
using ResolveCallback = std::function<void(Result<std::vector<Endpoint>>)>;
void resolve(Loop& loop, const HostPort& target, ResolveCallback callback);

}  // namespace tributary::net
