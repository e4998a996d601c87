// A map for large values that are looked up far more often than they come and go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace tributary {

// As std::map, but its keys lie in one array: a search touches that and what it finds, where a
// tree's touches a value at each level. Insertion and erasure move keys, and invalidate iterators;
// references to values stay valid until theirs is erased. Iteration is by ascending keys.
template <class Key, class Value>
class CompactMap {
 public:
  using value_type = std::pair<const Key, Value>;

 private:
  using Nodes = std::vector<std::unique_ptr<value_type>>;

  template <bool kConst>
  class Iterator {
    using Base =
        std::conditional_t<kConst, typename Nodes::const_iterator, typename Nodes::iterator>;

   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = CompactMap::value_type;
    using difference_type = std::ptrdiff_t;
    using reference = std::conditional_t<kConst, const value_type&, value_type&>;
    using pointer = std::conditional_t<kConst, const value_type*, value_type*>;

    Iterator() = default;
    explicit Iterator(Base at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return at_->get(); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    Base at_;
  };

 public:
  using iterator = Iterator<false>;
  using const_iterator = Iterator<true>;

  iterator begin() { return iterator(nodes_.begin()); }
  iterator end() { return iterator(nodes_.end()); }
  const_iterator begin() const { return const_iterator(nodes_.begin()); }
  const_iterator end() const { return const_iterator(nodes_.end()); }
  std::size_t size() const { return keys_.size(); }
  bool empty() const { return keys_.empty(); }

  iterator find(const Key& key) { return iterator(nodes_.begin() + index_of(key)); }
  const_iterator find(const Key& key) const {
    return const_iterator(nodes_.begin() + index_of(key));
  }
  bool contains(const Key& key) const { return find(key) != end(); }
  // REQUIRES: it is there.
  Value& at(const Key& key) { return const_cast<Value&>(std::as_const(*this).at(key)); }
  const Value& at(const Key& key) const {
    const auto found = find(key);
    TRIBUTARY_CHECK(found != end());
    return found->second;
  }

  Value& operator[](const Key& key) { return try_emplace(key).first->second; }
  template <class... Args>
  std::pair<iterator, bool> try_emplace(const Key& key, Args&&... args) {
    const auto place = std::lower_bound(keys_.begin(), keys_.end(), key);
    const auto at = place - keys_.begin();
    const bool is_new = place == keys_.end() || key < *place;
    if (is_new) {
      nodes_.insert(nodes_.begin() + at, std::make_unique<value_type>(
                                             std::piecewise_construct, std::tuple(key),
                                             std::forward_as_tuple(std::forward<Args>(args)...)));
      keys_.insert(place, key);
    }
    return {iterator(nodes_.begin() + at), is_new};
  }
  // Returns how many were erased: none or one.
  std::size_t erase(const Key& key) {
    const auto at = index_of(key);
    if (at == std::ssize(keys_)) return 0;
    // What is destroyed may look at the map: by then it has left.
    const auto gone = std::move(nodes_[static_cast<std::size_t>(at)]);
    nodes_.erase(nodes_.begin() + at);
    keys_.erase(keys_.begin() + at);
    return 1;
  }

 private:
  // The size where there is none.
  std::ptrdiff_t index_of(const Key& key) const {
    const auto place = std::lower_bound(keys_.begin(), keys_.end(), key);
    return place == keys_.end() || key < *place ? std::ssize(keys_) : place - keys_.begin();
  }

  std::vector<Key> keys_;  // ascending
  Nodes nodes_;            // of the same places
};

}  // namespace tributary
