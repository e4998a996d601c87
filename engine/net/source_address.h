// By which of this machine's interfaces traffic leaves.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/loop.h"

namespace tributary::net {

// The addresses of one interface, of each family at most one; ports are 0.
struct SourceAddress {
  std::string device;  // "eth0"
  std::optional<Endpoint> v4{};
  std::optional<Endpoint> v6{};

  const std::optional<Endpoint>& of_family(const Endpoint& remote) const {
    return remote.is_v4() ? v4 : v6;
  }
};

// The interface of this name, or that has this address, and then by that address alone. Of several
// addresses the first counts; those of one link alone are left out. Errors, of one line: there is
// no such interface; it has no address.
Result<SourceAddress> find_source(std::string_view name_or_address);

// Has all sockets that are opened on the loop from now on talk from this address alone: peers,
// trackers, DHT, HTTP. What goes to loopback is let be, and names are looked up as the system does.
// `source` must outlive its use; null ends it. Loop thread only, as the next.
void talk_from(Loop& loop, const SourceAddress* source);
// Null: from any.
const SourceAddress* source_of(Loop& loop);

// Where a socket is to be bound that would be at `at`: at the source's address if `at` is any of
// its family's. Errors: the interface has no address of that family.
Result<Endpoint> bound_by_source(Loop& loop, const Endpoint& at);
// Where one is to be bound that dials `remote`; nothing where it need not be. The same errors.
Result<std::optional<Endpoint>> source_towards(Loop& loop, const Endpoint& remote);
// Keeps what the socket sends and hears on the interface itself, where the system lets us: else an
// address of one interface may leave by another that is nearer to the goal.
void keep_on_device(Loop& loop, int socket);

// A new socket bound towards `remote`, for a library that connects it; -1 when there is none.
int open_from_source(Loop& loop, int type, int protocol, const sockaddr& remote);

}  // namespace tributary::net
