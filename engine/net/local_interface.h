// The addresses of this machine on its networks.
#pragma once

#include <string>
#include <vector>

#include "engine/base/endpoint.h"

namespace tributary::net {

struct LocalInterface {
  std::string name;     // "eth0"
  Endpoint address;     // port 0
  int prefix_bits = 0;  // of the 128 of the address: its network
  bool internal = false;

  // Whether the address is of this network.
  bool reaches(const Endpoint& endpoint) const;
};

// On which networks one who listens there is reached: those of all interfaces but the internal ones
// for an unspecified address of its family, else the one that has the address. IPv6 addresses that
// are valid on one link alone are left out. Empty when there is none.
std::vector<LocalInterface> interfaces_of(const Endpoint& listening);
// Of all interfaces, the same left out.
std::vector<LocalInterface> all_interfaces();

}  // namespace tributary::net
