// Structs that cross the ABI: each begins with its size, by the caller's header, which may be older
// or newer than this library.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "engine/base/result.h"
#include "player/api/errors.h"

namespace tributary::capi {

inline constexpr std::size_t kLargestStruct = 64 << 10;  // bytes; more is no size but garbage

// 0, or SIZE with a message. `size` is the first member of a struct of the API.
template <class T>
int check_size(const T* value, const char* type) {
  if (!value) return fail(TRIBUTARY_E_INVALID, std::string(type) + " is NULL");
  const bool plausible = value->size > sizeof value->size && value->size <= kLargestStruct &&
                         value->size % alignof(T) == 0;
  if (plausible) return TRIBUTARY_OK;
  return fail(TRIBUTARY_E_SIZE, std::string(type) + ".size is " + std::to_string(value->size) +
                                    "; set it to sizeof(" + type + ") before the call");
}

// Copies what the caller knows of it; members beyond that are zero. SIZE where the caller has set
// members that this library does not know.
template <class T>
int read_struct(const T* from, T& to, const char* type) {
  const int checked = check_size(from, type);
  if (checked < 0) return checked;
  to = T{};
  std::memcpy(&to, from, std::min(from->size, sizeof(T)));
  const auto* bytes = reinterpret_cast<const char*>(from);
  const bool unknown = from->size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + from->size,
                                                             [](char c) { return c != 0; });
  to.size = sizeof(T);
  if (!unknown) return TRIBUTARY_OK;
  return fail(TRIBUTARY_E_SIZE, std::string(type) +
                                    " has members set that this version of the library does not "
                                    "know; it is older than the header");
}

// Fills as much as the caller knows; what only the caller knows is zero.
// REQUIRES: check_size(to) == 0.
template <class T>
void write_struct(const T& from, T* to) {
  const std::size_t size = to->size;
  std::memset(to, 0, size);  // NOLINT: plain C structs
  std::memcpy(to, &from, std::min(size, sizeof(T)));
  to->size = size;
}

}  // namespace tributary::capi
