// A fixed-size set of small integers, one bit each, with word-wise searches.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "engine/base/check.h"

namespace tributary {

class Bitfield {
 public:
  static constexpr int kNone = -1;

  Bitfield() = default;
  explicit Bitfield(int size, bool value = false)
      : size_(size), count_(value ? size : 0), words_(words_for(size), value ? ~0ULL : 0) {
    clear_tail();
  }

  int size() const { return size_; }
  int count() const { return count_; }  // set bits
  bool all() const { return count_ == size_; }
  bool none() const { return count_ == 0; }

  // REQUIRES for each: 0 <= i < size().
  bool test(int i) const { return (words_[word_of(i)] >> (i & 63)) & 1; }
  // Returns whether the bit changed.
  bool set(int i) {
    if (test(i)) return false;
    words_[word_of(i)] |= 1ULL << (i & 63);
    return ++count_, true;
  }
  bool reset(int i) {
    if (!test(i)) return false;
    words_[word_of(i)] &= ~(1ULL << (i & 63));
    return --count_, true;
  }

  // The first set bit at or after `from`, or kNone. Cost: one step per 64 bits passed over.
  int find_next(int from) const {
    return find(from, size_, [this](std::size_t w) { return words_[w]; });
  }
  // The first bit in [from, to) that is set here and in `other`. REQUIRES: equal sizes.
  int find_next_common(const Bitfield& other, int from, int to) const {
    TRIBUTARY_DCHECK(other.size_ == size_);
    return find(from, to, [&](std::size_t w) { return words_[w] & other.words_[w]; });
  }
  // The first bit at or after `from` that is set here and clear in `other`, or kNone. REQUIRES:
  // equal sizes.
  int find_next_not_in(const Bitfield& other, int from = 0) const {
    TRIBUTARY_DCHECK(other.size_ == size_);
    return find(from, size_, [&](std::size_t w) { return words_[w] & ~other.words_[w]; });
  }
  // The first clear bit at or after `from`, or kNone.
  int find_next_clear(int from) const {
    return find(from, size_, [this](std::size_t w) { return ~words_[w]; });
  }
  bool intersects(const Bitfield& other) const {
    return find_next_common(other, 0, size_) != kNone;
  }

  friend bool operator==(const Bitfield&, const Bitfield&) = default;

 private:
  static std::size_t words_for(int size) { return (static_cast<std::size_t>(size) + 63) / 64; }
  static std::size_t word_of(int i) { return static_cast<std::size_t>(i) / 64; }
  void clear_tail() {
    if (size_ % 64 != 0) words_.back() &= (1ULL << (size_ % 64)) - 1;
  }

  template <class WordAt>
  int find(int from, int to, WordAt word_at) const {
    if (to > size_) to = size_;
    if (from < 0) from = 0;
    if (from >= to) return kNone;
    std::size_t w = word_of(from);
    std::uint64_t bits = word_at(w) & (~0ULL << (from & 63));
    const std::size_t last = word_of(to - 1);
    while (bits == 0) {
      if (++w > last) return kNone;
      bits = word_at(w);
    }
    const int i = static_cast<int>(w * 64) + std::countr_zero(bits);
    return i < to ? i : kNone;
  }

  int size_ = 0;
  int count_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace tributary
