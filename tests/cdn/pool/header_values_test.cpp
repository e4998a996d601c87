#include "cdn/pool/header_values.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::cdn {
namespace {

constexpr WallTime kNow{1'700'000'000};  // Tue, 14 Nov 2023 22:13:20 GMT

TEST_CASE("the three forms of an HTTP date name the same second") {
  const std::optional<WallTime> expected = WallTime{784'111'777};
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == expected);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == expected);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", kNow) == expected);
  CHECK(format_http_date(*expected) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(format_http_date(kNow) == "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST_CASE("a two-digit year is the nearest that is not more than fifty years ahead") {
  CHECK(format_http_date(*parse_http_date("Monday, 01-Jan-73 00:00:00 GMT", kNow)) ==
        "Sun, 01 Jan 2073 00:00:00 GMT");
  CHECK(format_http_date(*parse_http_date("Monday, 01-Jan-74 00:00:00 GMT", kNow)) ==
        "Tue, 01 Jan 1974 00:00:00 GMT");
}

TEST_CASE("malformed dates are refused") {
  for (const char* text :
       {"", "Sun", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3x GMT", "Sun Nov 6 08:49:37"}) {
    CAPTURE(text);
    CHECK(!parse_http_date(text, kNow));
  }
  CHECK(!parse_http_date(std::string(100'000, '9'), kNow));
}

TEST_CASE("content ranges are read in all their forms") {
  CHECK(parse_content_range("bytes 0-99/1000") == ContentRange{ByteRange{0_B, 100_B}, 1000_B});
  CHECK(parse_content_range(" BYTES 5-5/* ") == ContentRange{ByteRange{5_B, 6_B}, std::nullopt});
  CHECK(parse_content_range("bytes */1000") == ContentRange{std::nullopt, 1000_B});
}

TEST_CASE("malformed content ranges are refused") {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes 0-99", "bytes 99-0/1000", "bytes 0-1000/1000", "bytes */*",
        "items 0-99/1000", "bytes -5-9/10", "bytes 0-9/10, bytes 0-9/10", "bytes 0x0-9/10",
        "bytes 0-9223372036854775807/*", "bytes 0-99999999999999999999/*", "bytes 0-9/+10"}) {
    CAPTURE(text);
    CHECK(!parse_content_range(text));
  }
}

TEST_CASE("retry-after is seconds or a date, and bounded") {
  CHECK(parse_retry_after("120", kNow) == Duration(120s));
  CHECK(parse_retry_after("99999999", kNow) == kMaxRetryAfter);
  CHECK(parse_retry_after("Tue, 14 Nov 2023 22:13:50 GMT", kNow) == Duration(30s));
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == Duration::zero());
  CHECK(parse_retry_after("Fri, 14 Nov 2053 22:13:50 GMT", kNow) == kMaxRetryAfter);
  CHECK(!parse_retry_after("soon", kNow));
  CHECK(!parse_retry_after("-1", kNow));
}

TEST_CASE("content lengths are plain decimal numbers") {
  CHECK(parse_content_length(" 42 ") == 42_B);
  for (const char* text : {"", "-1", "+1", "1e3", "42, 42", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK(!parse_content_length(text));
  }
}

}  // namespace
}  // namespace tributary::cdn
