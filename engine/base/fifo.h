// A queue that takes no memory until something is in it: std::deque takes half a kilobyte, and many
// objects have a queue that is nearly always empty.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tributary {

// Contiguous; constant time, amortized, to push at the end and pop at the front. T is
// default-constructible, and holds nothing once moved from or assigned T().
template <class T>
class Fifo {
 public:
  using value_type = T;
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  iterator begin() { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  iterator end() { return items_.end(); }
  const_iterator begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  const_iterator end() const { return items_.end(); }
  // REQUIRES for these: !empty(), i < size().
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return items_.back(); }
  const T& back() const { return items_.back(); }
  T& operator[](std::size_t i) { return items_[head_ + i]; }
  const T& operator[](std::size_t i) const { return items_[head_ + i]; }

  void push_back(T item) { items_.push_back(std::move(item)); }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    return items_.emplace_back(std::forward<Args>(args)...);
  }
  // Linear, where nothing was popped before.
  void push_front(T item) {
    if (head_ == 0) {
      items_.insert(items_.begin(), std::move(item));
    } else {
      items_[--head_] = std::move(item);
    }
  }
  // REQUIRES for both: !empty().
  T take_front() {
    T item = std::move(items_[head_]);
    advance();
    return item;
  }
  void pop_front() {
    items_[head_] = T();
    advance();
  }
  iterator erase(const_iterator at) { return items_.erase(at); }
  iterator erase(const_iterator first, const_iterator last) { return items_.erase(first, last); }
  // A queue that was long once gives its memory back.
  void clear() {
    items_.clear();
    head_ = 0;
    if (items_.capacity() > kKept) items_ = {};
  }

 private:
  static constexpr std::size_t kMinGap = 16;
  static constexpr std::size_t kKept = 16;

  void advance() {
    ++head_;
    if (empty()) {
      clear();
    } else if (head_ >= kMinGap && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), begin());
      head_ = 0;
    }
  }

  std::vector<T> items_;  // those before head_ are gone
  std::size_t head_ = 0;
};

// How many were erased.
template <class T, class Predicate>
std::size_t erase_if(Fifo<T>& queue, Predicate predicate) {
  const std::size_t before = queue.size();
  auto keep = queue.begin();
  for (auto at = queue.begin(); at != queue.end(); ++at) {
    if (predicate(*at)) continue;
    if (keep != at) *keep = std::move(*at);
    ++keep;
  }
  queue.erase(keep, queue.end());
  return before - queue.size();
}

}  // namespace tributary
