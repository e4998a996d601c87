// A value that takes no memory until it is changed: for what most of many objects never need.
#pragma once

#include <memory>

namespace tributary {

// Reads as T() until edit() is called.
template <class T>
class OnDemand {
 public:
  const T& operator*() const { return value_ ? *value_ : kUnchanged; }
  const T* operator->() const { return &**this; }
  // Takes memory from now on. Stays where it is.
  T& edit() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  inline static const T kUnchanged{};
  std::unique_ptr<T> value_;
};

}  // namespace tributary
