// Objects addressed by ids that are never reused: a stale id finds nothing instead of a stranger.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/strong.h"

namespace tributary {

// Ids hold a slot number and a generation. Iteration is in slot order, hence deterministic.
template <class Tag, class T>
class SlotMap {
 public:
  using Key = Id<Tag, std::uint64_t>;

  template <class... Args>
  Key emplace(Args&&... args) {
    const std::uint32_t slot = take_slot();
    slots_[slot].value.emplace(std::forward<Args>(args)...);
    ++size_;
    return key_of(slot);
  }

  // Null when the id's object is gone. The pointer is valid until the next emplace or erase.
  T* find(Key key) {
    const auto slot = static_cast<std::uint32_t>(key.value());
    if (slot >= slots_.size() || key_of(slot) != key || !slots_[slot].value) return nullptr;
    return &*slots_[slot].value;
  }
  const T* find(Key key) const { return const_cast<SlotMap*>(this)->find(key); }

  bool erase(Key key) {
    if (!find(key)) return false;
    const auto slot = static_cast<std::uint32_t>(key.value());
    slots_[slot].value.reset();
    ++slots_[slot].generation;
    free_.push_back(slot);
    return --size_, true;
  }

  std::size_t size() const { return size_; }

  // Calls f(Key, T&) for each object, in slot order. f may erase the object it is given.
  template <class F>
  void for_each(F f) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].value) f(key_of(slot), *slots_[slot].value);
    }
  }
  template <class F>
  void for_each(F f) const {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].value) f(key_of(slot), *slots_[slot].value);
    }
  }

 private:
  struct Slot {
    std::uint32_t generation = 1;
    std::optional<T> value;
  };

  std::uint32_t take_slot() {
    if (free_.empty()) {
      slots_.emplace_back();
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  Key key_of(std::uint32_t slot) const {
    return Key(std::uint64_t{slots_[slot].generation} << 32 | slot);
  }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace tributary
