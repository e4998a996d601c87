// Octets as text, and big-endian numbers within them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tributary::wire {

using Octets = std::span<const std::uint8_t>;
using OctetBuffer = std::vector<std::uint8_t>;

// The same memory under another type; valid as long as the argument's memory is.
inline std::string_view as_text(Octets octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};  // NOLINT
}
inline Octets as_octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT
}

inline void append(OctetBuffer& out, Octets octets) {
  out.insert(out.end(), octets.begin(), octets.end());
}

// REQUIRES for each: `at` + the size of the number <= octets.size().
inline std::uint16_t read_u16(Octets octets, std::size_t at = 0) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}
inline std::uint32_t read_u32(Octets octets, std::size_t at = 0) {
  return std::uint32_t{read_u16(octets, at)} << 16 | read_u16(octets, at + 2);
}
inline std::uint64_t read_u64(Octets octets, std::size_t at = 0) {
  return std::uint64_t{read_u32(octets, at)} << 32 | read_u32(octets, at + 4);
}

inline void append_u16(OctetBuffer& out, std::uint16_t n) {
  out.push_back(static_cast<std::uint8_t>(n >> 8));
  out.push_back(static_cast<std::uint8_t>(n));
}
inline void append_u32(OctetBuffer& out, std::uint32_t n) {
  append_u16(out, static_cast<std::uint16_t>(n >> 16));
  append_u16(out, static_cast<std::uint16_t>(n));
}
inline void append_u64(OctetBuffer& out, std::uint64_t n) {
  append_u32(out, static_cast<std::uint32_t>(n >> 32));
  append_u32(out, static_cast<std::uint32_t>(n));
}

}  // namespace tributary::wire
