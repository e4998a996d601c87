// Checks and cleaning of text from the network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::wire {

// Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or values over U+10FFFF.
bool is_utf8(std::string_view text);

// For messages and logs: at most 120 bytes, control characters and malformed bytes as '?'.
std::string printable(std::string_view text);

// Appends a code point as UTF-8. False when it is no Unicode scalar value.
bool append_utf8(std::string& out, std::uint32_t code_point);

std::string_view trim(std::string_view text);

// The lines without their ends, be these "\n", "\r\n" or "\r".
std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace tributary::wire
