// A user's list of which operator has which addresses.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "engine/core/locality.h"

namespace tributary::wire {

// Characters of an operator's name.
inline constexpr std::size_t kMaxOperatorName = 100;

// Lines of PREFIX/LEN NAME, such as "203.0.113.0/24 Example Net" or "2001:db8::/32 Example Net"; a
// name may be on many lines. Empty lines and those that begin with # say nothing. Errors name the
// line: no prefix, a length beyond the address, bits set behind it, no name, too many prefixes.
Result<core::OperatorTable> parse_operators(std::string_view text);

}  // namespace tributary::wire
