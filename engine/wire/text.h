// Checks and cleaning of text from the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/wire/octets.h"

namespace tributary::wire {

// Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or values over U+10FFFF.
bool is_utf8(std::string_view text);

// For messages and logs: at most 120 bytes, control characters and malformed bytes as '?'.
std::string printable(std::string_view text);

// Appends a code point as UTF-8. False when it is no Unicode scalar value.
bool append_utf8(std::string& out, std::uint32_t code_point);

std::string_view trim(std::string_view text);

// 0 ... 15, or -1 for what is no hexadecimal digit of either case.
int hex_value(char c);
// Nothing unless the text is the hexadecimal digits of exactly `size` bytes.
std::optional<OctetBuffer> decode_hex(std::string_view text, std::size_t size);

// The lines without their ends, be these "\n", "\r\n" or "\r".
std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace tributary::wire
