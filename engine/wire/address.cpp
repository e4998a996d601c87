#include "engine/wire/address.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

// A whole number of at most `digits` digits; nothing when anything else is there.
std::optional<unsigned> parse_number(std::string_view text, int base, std::size_t digits) {
  unsigned value = 0;
  if (text.empty() || text.size() > digits) return std::nullopt;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t next = text.find(separator, at);
    parts.push_back(text.substr(at, next - at));
    if (next == std::string_view::npos) return parts;
    at = next + 1;
  }
}

std::optional<Endpoint> parse_v4(std::string_view text, std::uint16_t port) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto n = parse_number(parts[i], 10, 3);
    if (!n || *n > 255) return std::nullopt;
    octets[i] = static_cast<std::uint8_t>(*n);
  }
  return Endpoint::v4(octets[0], octets[1], octets[2], octets[3], port);
}

// The 16-bit groups of one side of "::" as octets; an IPv4 tail counts as two groups.
std::optional<OctetBuffer> parse_groups(std::string_view text) {
  OctetBuffer octets;
  if (text.empty()) return octets;
  const auto parts = split(text, ':');
  if (parts.size() > 8) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto tail = parse_v4(parts[i], 0);
      if (!tail) return std::nullopt;
      octets.insert(octets.end(), tail->address.begin() + 12, tail->address.end());
      continue;
    }
    const auto group = parse_number(parts[i], 16, 4);
    if (!group) return std::nullopt;
    append_u16(octets, static_cast<std::uint16_t>(*group));
  }
  return octets;
}

}  // namespace

std::optional<Endpoint> parse_address(std::string_view text, std::uint16_t port) {
  if (text.size() > 45) return std::nullopt;  // the longest form of an IPv6 address
  if (text.find(':') == std::string_view::npos) return parse_v4(text, port);
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, gap));
  const auto tail = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view());
  if (!head || !tail) return std::nullopt;
  const std::size_t size = head->size() + tail->size();
  if (has_gap ? size > 14 : size != 16) return std::nullopt;
  Endpoint out;
  out.port = port;
  std::copy(head->begin(), head->end(), out.address.begin());
  std::copy_backward(tail->begin(), tail->end(), out.address.end());
  return out;
}

std::string format_address(const Endpoint& endpoint) {
  const auto& a = endpoint.address;
  std::string out;
  if (endpoint.is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) out += (i > 12 ? "." : "") + std::to_string(a[i]);
    return out;
  }
  for (std::size_t i = 0; i < 16; i += 2) {
    std::array<char, 4> group{};
    char* end = std::to_chars(group.data(), group.data() + 4, read_u16(a, i), 16).ptr;
    if (i > 0) out += ':';
    out.append(group.data(), static_cast<std::size_t>(end - group.data()));
  }
  return out;
}

Octets address_octets(const Endpoint& endpoint) {
  return Octets(endpoint.address).subspan(endpoint.is_v4() ? 12 : 0);
}

std::optional<Endpoint> read_address(Octets octets) {
  if (octets.size() == 4) return Endpoint::v4(octets[0], octets[1], octets[2], octets[3], 0);
  if (octets.size() != 16) return std::nullopt;
  Endpoint out;
  std::copy(octets.begin(), octets.end(), out.address.begin());
  return out;
}

void append_compact(OctetBuffer& out, const Endpoint& endpoint) {
  append(out, address_octets(endpoint));
  append_u16(out, endpoint.port);
}

Endpoint read_compact(Octets octets) {
  TRIBUTARY_CHECK(octets.size() == kCompactV4Size || octets.size() == kCompactV6Size);
  const std::size_t size = octets.size() - 2;
  if (size == 4) {
    return Endpoint::v4(octets[0], octets[1], octets[2], octets[3], read_u16(octets, size));
  }
  Endpoint out;
  std::copy_n(octets.begin(), size, out.address.begin());
  out.port = read_u16(octets, size);
  return out;
}

}  // namespace tributary::wire
