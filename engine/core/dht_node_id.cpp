#include "engine/core/dht_node_id.h"

#include <algorithm>
#include <array>
#include <bit>

namespace tributary::core::dht {
namespace {

std::uint32_t crc32c(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
  }
  return ~crc;
}

// BEP 42's checksum of the masked address; its highest 21 bits are the id's. REQUIRES: r < 8.
std::uint32_t prefix_of(const Endpoint& endpoint, std::uint8_t r) {
  constexpr std::array<std::uint8_t, 4> kMaskV4 = {0x03, 0x0f, 0x3f, 0xff};
  constexpr std::array<std::uint8_t, 8> kMaskV6 = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
  std::array<std::uint8_t, 8> masked{};
  const bool v4 = endpoint.is_v4();
  const std::size_t size = v4 ? 4 : 8;
  for (std::size_t i = 0; i < size; ++i) {
    masked[i] = v4 ? endpoint.address[12 + i] & kMaskV4[i] : endpoint.address[i] & kMaskV6[i];
  }
  masked[0] = static_cast<std::uint8_t>(masked[0] | r << 5);
  return crc32c(masked.data(), size);
}

}  // namespace

NodeId distance(const NodeId& a, const NodeId& b) {
  NodeId out;
  for (std::size_t i = 0; i < NodeId::kSize; ++i) out.bytes[i] = a.bytes[i] ^ b.bytes[i];
  return out;
}

int shared_bits(const NodeId& a, const NodeId& b) {
  for (std::size_t i = 0; i < NodeId::kSize; ++i) {
    const auto differing = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (differing != 0) return static_cast<int>(i) * 8 + std::countl_zero(differing);
  }
  return kIdBits;
}

NodeId random_id(Random& random) {
  NodeId id;
  for (std::uint8_t& b : id.bytes) b = static_cast<std::uint8_t>(random.below(256));
  return id;
}

NodeId secure_id(const Endpoint& external, Random& random) {
  NodeId id = random_id(random);
  const std::uint32_t prefix = prefix_of(external, id.bytes[19] & 7);
  id.bytes[0] = static_cast<std::uint8_t>(prefix >> 24);
  id.bytes[1] = static_cast<std::uint8_t>(prefix >> 16);
  id.bytes[2] = static_cast<std::uint8_t>((prefix >> 8 & 0xf8) | (id.bytes[2] & 7));
  return id;
}

bool is_secure(const NodeId& id, const Endpoint& endpoint) {
  if (endpoint.is_local()) return true;
  const std::uint32_t prefix = prefix_of(endpoint, id.bytes[19] & 7);
  return id.bytes[0] == prefix >> 24 && id.bytes[1] == (prefix >> 16 & 0xff) &&
         (id.bytes[2] & 0xf8) == (prefix >> 8 & 0xf8);
}

bool same_subnet(const Endpoint& a, const Endpoint& b) {
  if (a.is_v4() != b.is_v4()) return false;
  const std::ptrdiff_t size = a.is_v4() ? 15 : 8;
  return std::equal(a.address.begin(), a.address.begin() + size, b.address.begin());
}

}  // namespace tributary::core::dht
