// Strong integer types: an index or an id that cannot be mixed up with another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tributary {

// An integer that only compares and hashes; arithmetic would make no sense on it.
template <class Tag, class Rep>
class Id {
 public:
  using rep = Rep;
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_{};
};

// A zero-based position that can be stepped and subtracted.
template <class Tag>
class Index {
 public:
  using rep = std::int32_t;
  constexpr Index() = default;
  constexpr explicit Index(rep value) : value_(value) {}
  constexpr rep value() const { return value_; }
  constexpr Index& operator++() { return ++value_, *this; }
  constexpr Index& operator--() { return --value_, *this; }
  friend constexpr Index operator+(Index a, rep n) { return Index(a.value_ + n); }
  friend constexpr Index operator-(Index a, rep n) { return Index(a.value_ - n); }
  friend constexpr rep operator-(Index a, Index b) { return a.value_ - b.value_; }
  friend constexpr auto operator<=>(Index, Index) = default;

 private:
  rep value_{};
};

}  // namespace tributary

template <class Tag, class Rep>
struct std::hash<tributary::Id<Tag, Rep>> {
  std::size_t operator()(tributary::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};

template <class Tag>
struct std::hash<tributary::Index<Tag>> {
  std::size_t operator()(tributary::Index<Tag> index) const noexcept {
    return std::hash<std::int32_t>{}(index.value());
  }
};
