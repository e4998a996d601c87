#include "cdn/pool/header_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "engine/base/check.h"

namespace tributary::cdn {
namespace {

// The longest date, the obsolete RFC 850 form with "Wednesday", has 33 characters.
constexpr std::size_t kMaxDateLength = 64;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::optional<std::int64_t> parse_number(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> parse_month(std::string_view text) {
  const auto at = std::find(kMonths.begin(), kMonths.end(), text);
  if (at == kMonths.end()) return std::nullopt;
  return static_cast<unsigned>(at - kMonths.begin()) + 1;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return fields;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::int64_t> parse_time_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = parse_number(text.substr(0, 2));
  const auto minute = parse_number(text.substr(3, 2));
  const auto second = parse_number(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  return *hour * 3600 + *minute * 60 + *second;
}

std::int64_t year_of(WallTime time) {
  const std::chrono::sys_days day{std::chrono::days(time.unix_seconds / 86400)};
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

// RFC 9110: a two-digit year that appears to be more than 50 years ahead is in the past century.
std::int64_t full_year(std::int64_t year, std::string_view text, WallTime now) {
  if (text.size() != 2) return year;
  const std::int64_t present = year_of(now);
  const std::int64_t candidate = present - present % 100 + year;
  return candidate > present + 50 ? candidate - 100 : candidate;
}

struct DateFields {
  std::string_view day, month, year, time;
};

std::optional<WallTime> assemble(const DateFields& f, WallTime now) {
  const auto day = parse_number(f.day);
  const auto month = parse_month(f.month);
  const auto year = parse_number(f.year);
  const auto seconds = parse_time_of_day(f.time);
  if (!day || !month || !year || !seconds || *day > 31 || *year > 9999) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(full_year(*year, f.year, now))),
      std::chrono::month(*month), std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return WallTime{days * 86400 + *seconds};
}

std::string two_digits(std::int64_t n) {
  return {static_cast<char>('0' + n / 10 % 10), static_cast<char>('0' + n % 10)};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  text = trim(text);
  if (text.size() > kMaxDateLength) return std::nullopt;
  if (text.size() < 4) return std::nullopt;
  const bool asctime = text.find(',') == std::string_view::npos;
  const auto f = split(text, " ");
  if (asctime) {  // Sun Nov  6 08:49:37 1994
    return f.size() == 5 ? assemble({f[2], f[1], f[4], f[3]}, now) : std::nullopt;
  }
  if (f.back() != "GMT") return std::nullopt;
  if (f.size() == 6)
    return assemble({f[1], f[2], f[3], f[4]}, now);  // Sun, 06 Nov 1994 08:49:37 GMT
  if (f.size() != 4) return std::nullopt;
  const auto date = split(f[1], "-");  // Sunday, 06-Nov-94 08:49:37 GMT
  if (date.size() != 3) return std::nullopt;
  return assemble({date[0], date[1], date[2], f[2]}, now);
}

std::string format_http_date(WallTime time) {
  const std::int64_t days = time.unix_seconds / 86400;
  const std::int64_t second = time.unix_seconds % 86400;
  const std::chrono::sys_days day{std::chrono::days(days)};
  const std::chrono::year_month_day date(day);
  std::string out(kDays[std::chrono::weekday(day).c_encoding()]);
  out += ", " + two_digits(static_cast<unsigned>(date.day())) + ' ';
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += ' ' + std::to_string(static_cast<int>(date.year())) + ' ';
  out += two_digits(second / 3600) + ':' + two_digits(second / 60 % 60) + ':';
  return out + two_digits(second % 60) + " GMT";
}

std::optional<Bytes> parse_content_length(std::string_view text) {
  const auto value = parse_number(trim(text));
  if (!value) return std::nullopt;
  return Bytes(*value);
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  text = trim(text);
  constexpr std::string_view kUnit = "bytes ";
  if (!equal_ignoring_case(text.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  text = trim(text.substr(kUnit.size()));
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange result;
  if (text.substr(slash + 1) != "*") {
    result.total = parse_content_length(text.substr(slash + 1));
    if (!result.total) return std::nullopt;
  }
  const std::string_view range = text.substr(0, slash);
  if (range == "*") return result.total ? std::optional(result) : std::nullopt;
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_number(range.substr(0, dash));
  const auto last = parse_number(range.substr(dash + 1));
  if (!first || !last || *last < *first || *last == INT64_MAX) return std::nullopt;
  result.range = ByteRange{Bytes(*first), Bytes(*last + 1)};
  if (result.total && result.range->end > *result.total) return std::nullopt;
  return result;
}

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now) {
  text = trim(text);
  if (const auto seconds = parse_number(text)) {
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(kMaxRetryAfter).count();
    return std::chrono::seconds(std::min<std::int64_t>(*seconds, most));
  }
  const auto date = parse_http_date(text, now);
  if (!date) return std::nullopt;
  const Duration wait = std::chrono::seconds(date->unix_seconds - now.unix_seconds);
  return std::clamp(wait, Duration::zero(), kMaxRetryAfter);
}

}  // namespace tributary::cdn
