// Options that take one of a few names.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/wire/text.h"

namespace tributary::demo {

// The one of `known` that to_string() calls `text`; the error lists all of them. `what` is how it
// calls them: "encryption".
template <class T, std::size_t kCount>
Result<T> parse_named(std::string_view what, std::string_view text,
                      const std::array<T, kCount>& known) {
  std::string names;
  for (const T value : known) {
    if (to_string(value) == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(to_string(value));
  }
  return invalid("unknown " + std::string(what) + " '" + wire::printable(text) + "'; choose " +
                 names);
}

// What to_string() calls them.
template <class T, std::size_t kCount>
std::vector<std::string> names_of(const std::array<T, kCount>& known) {
  std::vector<std::string> names;
  for (const T value : known) names.emplace_back(to_string(value));
  return names;
}

}  // namespace tributary::demo
