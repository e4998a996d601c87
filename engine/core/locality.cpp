#include "engine/core/locality.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

// CRC-32C (Castagnoli), reflected, as BEP 40 names it; bit by bit, for it runs over 32 bytes.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kPolynomial = 0x82F63B78;
  std::uint32_t crc = ~std::uint32_t{0};
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
  }
  return ~crc;
}

// An address is masked with 0x55 from its third byte (IPv4) or seventh (IPv6) on, and from a later
// one where the two share more than what is before it.
std::size_t masked_from(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  const bool v4 = a.size() == 4;
  const auto same = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const std::size_t first = v4 ? 2 : 6;
  if (same < first) return first;
  return std::min(same + 1, a.size());
}

// IPv4 /24, IPv6 /64: what one network in a house or an office is.
bool same_subnet(const Endpoint& a, const Endpoint& b) {
  if (a.is_v4() != b.is_v4()) return false;
  const std::ptrdiff_t shared = a.is_v4() ? 15 : 8;
  return std::equal(a.address.begin(), a.address.begin() + shared, b.address.begin());
}

}  // namespace

std::uint32_t canonical_priority(const Endpoint& a, const Endpoint& b) {
  std::array<std::uint8_t, 32> bytes{};
  if (a.address == b.address) {
    const auto [low, high] = std::minmax(a.port, b.port);
    bytes = {static_cast<std::uint8_t>(low >> 8), static_cast<std::uint8_t>(low),
             static_cast<std::uint8_t>(high >> 8), static_cast<std::uint8_t>(high)};
    return crc32c(std::span(bytes).first(4));
  }
  const bool v4 = a.is_v4() && b.is_v4();
  const std::size_t size = v4 ? 4 : 16;
  const auto address_of = [&](const Endpoint& e) { return std::span(e.address).last(size); };
  const std::size_t from = masked_from(address_of(a), address_of(b));
  const auto masked = [&](const Endpoint& e) {
    std::array<std::uint8_t, 16> out{};
    std::ranges::copy(address_of(e), out.begin());
    for (std::size_t i = from; i < size; ++i) out[i] &= 0x55;
    return out;
  };
  const std::array<std::uint8_t, 16> of_a = masked(a);
  const std::array<std::uint8_t, 16> of_b = masked(b);
  std::copy_n(std::min(of_a, of_b).begin(), size, bytes.begin());
  std::copy_n(std::max(of_a, of_b).begin(), size, bytes.begin() + size);
  return crc32c(std::span(bytes).first(2 * size));
}

OperatorTable::Bits OperatorTable::masked(const Endpoint& address, int bits) {
  Bits out{};
  for (int bit = 0; bit < bits; bit += 8) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int kept = std::min(bits - bit, 8);
    out[at] = address.address[at] & static_cast<std::uint8_t>(0xff << (8 - kept));
  }
  return out;
}

void OperatorTable::add(const Endpoint& prefix, int bits, std::string_view name) {
  TRIBUTARY_CHECK(bits >= 0 && bits <= kBits);
  auto number = numbers_.find(name);
  if (number == numbers_.end()) {
    number = numbers_.emplace(std::string(name), names_.size()).first;
    names_.emplace_back(name);
  }
  prefixes_[bits][masked(prefix, bits)] = number->second;
}

std::string_view OperatorTable::find(const Endpoint& address) const {
  for (const auto& [bits, prefixes] : prefixes_) {
    const auto found = prefixes.find(masked(address, bits));
    if (found != prefixes.end()) return names_[found->second];
  }
  return {};
}

std::size_t OperatorTable::size() const {
  std::size_t count = 0;
  for (const auto& [bits, prefixes] : prefixes_) count += prefixes.size();
  return count;
}

void Locality::set_own(const Endpoint& own) {
  own_ = own;
  own_operator_ = operators_ != nullptr ? operators_->find(own) : std::string_view{};
}

bool Locality::same_operator(const Endpoint& peer) const {
  return !own_operator_.empty() && operators_->find(peer) == own_operator_;
}

Nearness Locality::nearness(const Endpoint& peer) const {
  if (peer.is_local() || (own_ && same_subnet(*own_, peer))) return Nearness::kSubnet;
  return same_operator(peer) ? Nearness::kOperator : Nearness::kElsewhere;
}

AddressRank Locality::rank(const Endpoint& peer) const {
  return {nearness(peer), own_ ? ~canonical_priority(*own_, peer) : 0};
}

}  // namespace tributary::core
