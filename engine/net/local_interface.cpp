#include "engine/net/local_interface.h"

#include <uv.h>

#include <algorithm>
#include <bit>

#include "engine/net/address.h"

namespace tributary::net {
namespace {

constexpr int kV4Bits = 96;  // of a v4-mapped address, before the IPv4 address

bool is_link_local(const Endpoint& e) {
  return !e.is_v4() && e.address[0] == 0xfe && (e.address[1] & 0xc0) == 0x80;
}

bool is_unspecified(const Endpoint& e) {
  const auto begin = e.address.begin() + (e.is_v4() ? 12 : 0);
  return std::all_of(begin, e.address.end(), [](std::uint8_t octet) { return octet == 0; });
}

// Both members begin with the generic socket address.
template <class Address>
Endpoint endpoint_of(const Address& address) {
  Endpoint e = from_sockaddr(*reinterpret_cast<const sockaddr*>(&address));
  e.port = 0;
  return e;
}

int bits_of(const Endpoint& mask) {
  const int first = mask.is_v4() ? 12 : 0;
  int bits = mask.is_v4() ? kV4Bits : 0;
  for (std::size_t i = static_cast<std::size_t>(first); i < mask.address.size(); ++i) {
    bits += std::popcount(mask.address[i]);
  }
  return bits;
}

}  // namespace

bool LocalInterface::reaches(const Endpoint& endpoint) const {
  for (int bit = 0; bit < prefix_bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address.address[at] & mask) != (endpoint.address[at] & mask)) return false;
  }
  return true;
}

std::vector<LocalInterface> all_interfaces() {
  uv_interface_address_t* all = nullptr;
  int count = 0;
  if (uv_interface_addresses(&all, &count) != 0) return {};
  std::vector<LocalInterface> out;
  for (int i = 0; i < count; ++i) {
    const uv_interface_address_t& each = all[i];
    LocalInterface found{each.name, endpoint_of(each.address), bits_of(endpoint_of(each.netmask)),
                         each.is_internal != 0};
    if (!is_link_local(found.address)) out.push_back(std::move(found));
  }
  uv_free_interface_addresses(all, count);
  return out;
}

std::vector<LocalInterface> interfaces_of(const Endpoint& listening) {
  const bool any = is_unspecified(listening);
  std::vector<LocalInterface> out = all_interfaces();
  std::erase_if(out, [&](const LocalInterface& each) {
    if (each.address.is_v4() != listening.is_v4()) return true;
    return any ? each.internal : each.address.address != listening.address;
  });
  return out;
}

}  // namespace tributary::net
