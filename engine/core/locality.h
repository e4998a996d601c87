// Which peers it is best to be connected to, by their addresses alone.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"

namespace tributary::core {

// BEP 40: how much two peers are worth to each other, the more the higher. Both ends come to the
// same number, and who makes up addresses cannot choose it, so that a swarm in which everybody
// keeps his best becomes one well-connected graph. Ports count between equal addresses only.
std::uint32_t canonical_priority(const Endpoint& a, const Endpoint& b);

// Which operator has which addresses, as the user says. IPv4 prefixes count from bit 96, as IPv4
// addresses are held (Endpoint).
class OperatorTable {
 public:
  static constexpr int kBits = 128;
  // The prefixes of a continent; some 20 MB of memory.
  static constexpr std::size_t kMaxPrefixes = 200'000;

  // Address bits behind the prefix do not count. Replaces what the same prefix said before.
  // REQUIRES: 0 <= bits <= kBits.
  void add(const Endpoint& prefix, int bits, std::string_view name);
  // By the longest prefix that matches; empty when none does. Valid until the next add().
  std::string_view find(const Endpoint& address) const;
  std::size_t size() const;
  bool empty() const { return size() == 0; }

 private:
  using Bits = std::array<std::uint8_t, 16>;
  static Bits masked(const Endpoint& address, int bits);

  std::map<int, std::map<Bits, std::size_t>, std::greater<>> prefixes_;  // by length, long first
  std::vector<std::string> names_;
  std::map<std::string, std::size_t, std::less<>> numbers_;  // of names
};

// The nearest first.
enum class Nearness : std::uint8_t { kSubnet, kOperator, kElsewhere };

// What decides among peers that are equal in all that is known of their use.
struct AddressRank {
  Nearness nearness = Nearness::kElsewhere;
  std::uint32_t distance = 0;  // the smaller, the more BEP 40 values the peer
  friend auto operator<=>(const AddressRank&, const AddressRank&) = default;
};

// Ranks addresses as seen from ours. Tracks our address, once it is known.
class Locality {
 public:
  // The table must outlive this, and may be none.
  explicit Locality(const OperatorTable* operators = nullptr) : operators_(operators) {}

  // Ours, with the port where we accept peers. Before it is known only private addresses are near:
  // they are of our own house, for no other can be reached.
  void set_own(const Endpoint& own);
  const std::optional<Endpoint>& own() const { return own_; }
  AddressRank rank(const Endpoint& peer) const;

 private:
  Nearness nearness(const Endpoint& peer) const;
  bool same_operator(const Endpoint& peer) const;

  const OperatorTable* operators_;
  std::optional<Endpoint> own_;
  std::string_view own_operator_;
};

}  // namespace tributary::core
