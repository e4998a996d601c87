#include "demo/text_width.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tributary::demo {
namespace {

struct CodeRange {
  std::uint32_t first;
  std::uint32_t last;
};

// Marks that print over the character before them, and the zero-width controls (Unicode 15: Mn, Me,
// Cf of the scripts that titles are likely to use). Ascending.
constexpr std::array kZeroWidth = {
    CodeRange{0x0300, 0x036f},   CodeRange{0x0483, 0x0489}, CodeRange{0x0591, 0x05bd},
    CodeRange{0x05bf, 0x05bf},   CodeRange{0x05c1, 0x05c2}, CodeRange{0x05c4, 0x05c5},
    CodeRange{0x0610, 0x061a},   CodeRange{0x064b, 0x065f}, CodeRange{0x06d6, 0x06dc},
    CodeRange{0x06df, 0x06e4},   CodeRange{0x0900, 0x0902}, CodeRange{0x093c, 0x093c},
    CodeRange{0x0941, 0x0948},   CodeRange{0x094d, 0x094d}, CodeRange{0x0e31, 0x0e31},
    CodeRange{0x0e34, 0x0e3a},   CodeRange{0x0e47, 0x0e4e}, CodeRange{0x1ab0, 0x1aff},
    CodeRange{0x1dc0, 0x1dff},   CodeRange{0x200b, 0x200f}, CodeRange{0x202a, 0x202e},
    CodeRange{0x2060, 0x2064},   CodeRange{0x2066, 0x206f}, CodeRange{0x20d0, 0x20ff},
    CodeRange{0x302a, 0x302d},   CodeRange{0x3099, 0x309a}, CodeRange{0xfe00, 0xfe0f},
    CodeRange{0xfe20, 0xfe2f},   CodeRange{0xfeff, 0xfeff}, CodeRange{0x1f3fb, 0x1f3ff},
    CodeRange{0xe0000, 0xe01ef},
};

// Two columns (Unicode 15, East Asian Width W and F, and emoji shown as pictures). Ascending.
constexpr std::array kWide = {
    CodeRange{0x1100, 0x115f},   CodeRange{0x231a, 0x231b},   CodeRange{0x23e9, 0x23ec},
    CodeRange{0x25fd, 0x25fe},   CodeRange{0x2614, 0x2615},   CodeRange{0x2648, 0x2653},
    CodeRange{0x26a1, 0x26a1},   CodeRange{0x26bd, 0x26be},   CodeRange{0x2705, 0x2705},
    CodeRange{0x2728, 0x2728},   CodeRange{0x274c, 0x274c},   CodeRange{0x2753, 0x2755},
    CodeRange{0x2795, 0x2797},   CodeRange{0x2b1b, 0x2b1c},   CodeRange{0x2b50, 0x2b50},
    CodeRange{0x2e80, 0x303e},   CodeRange{0x3041, 0x33ff},   CodeRange{0x3400, 0x4dbf},
    CodeRange{0x4e00, 0xa4cf},   CodeRange{0xa960, 0xa97f},   CodeRange{0xac00, 0xd7a3},
    CodeRange{0xf900, 0xfaff},   CodeRange{0xfe30, 0xfe6f},   CodeRange{0xff00, 0xff60},
    CodeRange{0xffe0, 0xffe6},   CodeRange{0x16fe0, 0x18aff}, CodeRange{0x1b000, 0x1b2ff},
    CodeRange{0x1f004, 0x1f004}, CodeRange{0x1f0cf, 0x1f0cf}, CodeRange{0x1f18e, 0x1f18e},
    CodeRange{0x1f191, 0x1f19a}, CodeRange{0x1f200, 0x1f64f}, CodeRange{0x1f680, 0x1f6ff},
    CodeRange{0x1f7e0, 0x1f7eb}, CodeRange{0x1f900, 0x1faff}, CodeRange{0x20000, 0x3fffd},
};

template <std::size_t N>
bool contains(const std::array<CodeRange, N>& ranges, std::uint32_t code) {
  const auto above = std::upper_bound(ranges.begin(), ranges.end(), code,
                                      [](std::uint32_t c, CodeRange r) { return c < r.first; });
  return above != ranges.begin() && code <= std::prev(above)->last;
}

// The code point at the front and its length; a length of 0 when it is malformed (RFC 3629).
std::pair<std::uint32_t, std::size_t> decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {0, 0};
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool bad = code < kLeast[size] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
  return bad ? std::pair<std::uint32_t, std::size_t>{0, 0} : std::pair{code, size};
}

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

// Marks that turn the direction of text could hide what a name really says.
bool turns_direction(std::uint32_t code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

constexpr std::string_view kEllipsis = "…";

}  // namespace

Glyph first_glyph(std::string_view text) {
  const auto [code, size] = decode(text);
  if (size == 0) return {"?", 1, 1};
  if (is_control(code) || turns_direction(code)) return {"?", size, 1};
  const int width = contains(kZeroWidth, code) ? 0 : contains(kWide, code) ? 2 : 1;
  return {text.substr(0, size), size, width};
}

int text_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    width += glyph.width;
    text.remove_prefix(glyph.length);
  }
  return width;
}

std::string fit_text(std::string_view text, int width) {
  if (width <= 0) return {};
  std::string out;
  const bool cut = text_width(text) > width;
  int left = cut ? width - 1 : width;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    if (glyph.width > left) break;
    left -= glyph.width;
    out += glyph.bytes;
    text.remove_prefix(glyph.length);
  }
  if (cut) out += kEllipsis;
  return out;
}

std::string pad_right(std::string_view text, int width) {
  std::string out = fit_text(text, width);
  return out.append(static_cast<std::size_t>(std::max(0, width - text_width(out))), ' ');
}

std::string pad_left(std::string_view text, int width) {
  const std::string fitted = fit_text(text, width);
  return std::string(static_cast<std::size_t>(std::max(0, width - text_width(fitted))), ' ') +
         fitted;
}

std::string repeat(std::string_view unit, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += unit;
  return out;
}

}  // namespace tributary::demo
