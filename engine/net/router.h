// A home's router that maps ports, whichever protocol it speaks.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::net {

// Blocks; one thread at a time.
class Router {
 public:
  virtual ~Router() = default;
  virtual std::string_view protocol() const = 0;
  // Has TCP of the port passed on to this host from the returned endpoint, which may have another
  // port, for `lease`, or renews that; UDP too where the router does.
  virtual Result<Endpoint> map(std::uint16_t port, Duration lease) = 0;
  // Takes back what map() got.
  virtual void unmap() = 0;
};

// Whether to give up waiting.
using Cancelled = std::function<bool()>;

// The default gateway, if it answers within `limit`.
Result<std::unique_ptr<Router>> find_nat_pmp_router(Duration limit, Cancelled cancelled);
// A gateway device among those that answer the multicast search.
// `interface` is the IPv4 address of the one to search on; empty: the system's choice.
Result<std::unique_ptr<Router>> find_upnp_router(Duration search,
                                                 const std::string& interface = {});

}  // namespace tributary::net
