// Values of the HTTP header fields that range fetching needs, parsed from hostile text. Every
// parser looks at a bounded number of characters and answers nullopt instead of guessing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/units.h"

namespace tributary::cdn {

// Seconds since 1970-01-01 00:00:00 UTC without leap seconds. The pool has no wall clock: whoever
// parses a date brings the present along.
struct WallTime {
  std::int64_t unix_seconds = 0;
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

// Any of the three forms of RFC 9110 section 5.6.7; two-digit years are read relative to `now`.
std::optional<WallTime> parse_http_date(std::string_view text, WallTime now);
// The preferred form: "Sun, 06 Nov 1994 08:49:37 GMT". REQUIRES: a year of four digits.
std::string format_http_date(WallTime time);

// "bytes 0-99/1000", "bytes 0-99/*" or "bytes */1000" (RFC 9110 section 14.4).
struct ContentRange {
  std::optional<ByteRange> range;  // none: unsatisfied
  std::optional<Bytes> total;      // none: unknown
  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

// Decimal digits only, up to 2^63 - 1.
std::optional<Bytes> parse_content_length(std::string_view text);

// How long to wait, from seconds or a date (RFC 9110 section 10.2.3); a past date is zero. At most
// kMaxRetryAfter: a server's slip must not switch an edge off for good.
inline constexpr Duration kMaxRetryAfter = 1h;
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now);

// ASCII only, as header names and tokens are compared.
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);

}  // namespace tributary::cdn
