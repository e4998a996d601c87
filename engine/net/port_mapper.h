// Asks the home's router to pass a port on to this host, so that peers outside can connect to it:
// by NAT-PMP (RFC 6886), else by UPnP's Internet Gateway Device.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/net/loop.h"

namespace tributary::net {

struct PortMapping {
  Endpoint external;    // where the world reaches the port; the address may still be private
  std::string_view by;  // "NAT-PMP" or "UPnP"
  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

struct PortMapperOptions {
  // What the router is asked to keep the mapping for; it is renewed at half of it (RFC 6886 3.3).
  Duration lease = 2h;
  // Until the next try where no router answered: the laptop may have come home.
  Duration retry = 10min;
  // How long a router may take to answer by NAT-PMP; those that speak it do in milliseconds.
  Duration nat_pmp_limit = 1s;
  // How long to gather answers to UPnP's search. 1 s is what devices are told to answer within.
  Duration upnp_search = 1s;
  // The IPv4 address of the interface on whose network the router is; empty: the system's choice.
  // Where it is given UPnP alone is tried, for NAT-PMP asks the default gateway.
  std::string interface {};
};

// Maps TCP and UDP of one port (uTP and the DHT share the number) for as long as it lives, on a
// thread of its own: the libraries block.
class PortMapper {
 public:
  // Called on the loop thread with each new outcome, not with repeated ones. It must not destroy
  // the mapper.
  using Told = std::function<void(const Result<PortMapping>&)>;

  // Loop thread only. REQUIRES: port != 0.
  PortMapper(Loop& loop, std::uint16_t port, Told told, PortMapperOptions options = {});
  // Takes the mapping back. Waits for what the thread is at: 1 s while it searches, some
  // milliseconds otherwise, longer only where a router hangs in the middle of an answer.
  ~PortMapper();
  PortMapper(const PortMapper&) = delete;
  PortMapper& operator=(const PortMapper&) = delete;

 private:
  class Worker;
  std::shared_ptr<Worker> worker_;
};

}  // namespace tributary::net
