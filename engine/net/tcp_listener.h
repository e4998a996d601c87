// A listening TCP socket for servers that accept by themselves.
#pragma once

#include "engine/base/endpoint.h"
#include "engine/base/result.h"

namespace tributary::net {

// A descriptor that does not block; the caller's. An IPv6 address takes IPv6 only. Errors name the
// address and how to mend it, such as "cannot listen on 127.0.0.1:8080: address already in use;
// choose another with --listen".
Result<int> open_listener(const Endpoint& address);

// Where a socket is bound. REQUIRES: fd is an IP socket.
Endpoint local_address(int fd);

}  // namespace tributary::net
