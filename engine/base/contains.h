// Whether a list holds a value.
#pragma once

#include <algorithm>

namespace tributary {

template <class Range, class T>
bool contains(const Range& range, const T& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace tributary
