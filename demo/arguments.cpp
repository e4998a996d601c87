#include "demo/arguments.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "engine/net/address.h"
#include "engine/wire/magnet.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/text.h"
#include "engine/wire/udp_tracker.h"
#include "engine/wire/url.h"

namespace tributary::demo {
namespace {

// A decimal number in millionths, with at most so many digits before the point that no product
// below overflows.
constexpr std::int64_t kMillion = 1'000'000;
constexpr std::size_t kMaxDigits = 12;

constexpr Duration kLongestTime = std::chrono::hours(1000);
constexpr std::int64_t kHighestRate = 1'000'000'000'000;  // bits per second

std::string quoted(std::string_view text) { return "'" + wire::printable(text) + "'"; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes "12" or "12.5" off the front, in millionths; digits beyond the sixth are dropped.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t whole = 0;
  while (whole < text.size() && is_digit(text[whole])) ++whole;
  if (whole == 0 || whole > kMaxDigits) return std::nullopt;
  std::int64_t value = 0;
  for (char c : text.substr(0, whole)) value = value * 10 + (c - '0');
  value *= kMillion;
  text.remove_prefix(whole);
  if (text.empty() || text[0] != '.') return value;
  text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  std::int64_t unit = kMillion / 10;
  while (!text.empty() && is_digit(text[0])) {
    value += (text[0] - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return value;
}

// "k", "M" or "G" in powers of `base`; nothing for another suffix.
std::optional<std::int64_t> scale_of(std::string_view suffix, std::int64_t base) {
  if (suffix.empty()) return 1;
  if (suffix == "k" || suffix == "K") return base;
  if (suffix == "M" || suffix == "m") return base * base;
  if (suffix == "G" || suffix == "g") return base * base * base;
  return std::nullopt;
}

// number × scale, both exact; nothing when it is above `most`.
std::optional<std::int64_t> multiply(std::int64_t millionths, std::int64_t scale,
                                     std::int64_t most) {
  const Int128 product = static_cast<Int128>(millionths) * scale / kMillion;
  if (product > most) return std::nullopt;
  return static_cast<std::int64_t>(product);
}

// "64k", "1G" and "16KiB".
std::optional<std::int64_t> bytes_of(std::string_view text, std::int64_t most) {
  const auto number = take_number(text);
  if (text.ends_with("iB")) text.remove_suffix(2);
  const auto scale = scale_of(text, 1024);
  return number && scale ? multiply(*number, *scale, most) : std::nullopt;
}

// "1:30" and "1:02:03".
std::optional<std::int64_t> parse_clock(std::string_view text) {
  std::int64_t total = 0;
  for (int part = 0; part < 3; ++part) {
    const auto number = take_number(text);
    if (!number || *number > kLongestTime.count()) return std::nullopt;
    if (part > 0 && *number >= 60 * kMillion) return std::nullopt;
    total = total * 60 + *number;
    if (text.empty()) return part > 0 ? std::optional(total) : std::nullopt;
    if (text[0] != ':' || *number % kMillion != 0) return std::nullopt;
    text.remove_prefix(1);
  }
  return std::nullopt;
}

struct TimeUnit {
  std::string_view name;
  std::int64_t microseconds;
};
constexpr std::array<TimeUnit, 4> kTimeUnits = {
    {{"h", 3600 * kMillion}, {"m", 60 * kMillion}, {"s", kMillion}, {"ms", kMillion / 1000}}};

// "1h", "1m30s", "250ms", with units in falling order; a last number without a unit is seconds.
std::optional<std::int64_t> parse_units(std::string_view text) {
  Int128 total = 0;
  std::size_t next = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && std::isalpha(static_cast<unsigned char>(text[letters]))) {
      ++letters;
    }
    const std::string_view name = letters == 0 ? "s" : text.substr(0, letters);
    text.remove_prefix(letters);
    const auto* unit = std::find_if(kTimeUnits.begin() + next, kTimeUnits.end(),
                                    [&](const TimeUnit& u) { return u.name == name; });
    if (unit == kTimeUnits.end()) return std::nullopt;
    next = static_cast<std::size_t>(unit - kTimeUnits.begin()) + 1;
    total += static_cast<Int128>(*number) * unit->microseconds / kMillion;
    if (total > kLongestTime.count()) return std::nullopt;
  }
  return static_cast<std::int64_t>(total);
}

template <class T>
Result<std::optional<T>> told(Result<T> parsed) {
  if (!parsed) return parsed.error();
  return std::optional(*std::move(parsed));
}

Error url_error(std::string_view what, std::string_view text, std::string_view schemes,
                std::string_view example) {
  return invalid(std::string(what) + " " + quoted(text) + " is no " + std::string(schemes) +
                 " URL; give one like " + std::string(example));
}

}  // namespace

Result<BitRate> parse_rate(std::string_view text) {
  const Error bad =
      invalid("rate " + quoted(text) + " is not understood; give bit/s like 600k, 2.5M or 1G");
  std::string_view rest = text;
  const auto number = take_number(rest);
  const auto scale = scale_of(rest, 1000);
  if (!number || !scale) return bad;
  const auto rate = multiply(*number, *scale, kHighestRate);
  if (!rate) return invalid("rate " + quoted(text) + " is above 1000G bit/s; give a lower one");
  if (*rate == 0) return invalid("rate " + quoted(text) + " is zero; give at least 1 bit/s");
  return BitRate(*rate);
}

Result<Duration> parse_time(std::string_view text) {
  const bool clock = text.find(':') != std::string_view::npos;
  const auto time = clock ? parse_clock(text) : parse_units(text);
  if (!time || *time > kLongestTime.count()) {
    return invalid("time " + quoted(text) +
                   " is not understood; give seconds like 90 or 90s, or 1m30s, or 1:30");
  }
  return Duration(*time);
}

Result<std::int64_t> parse_ratio(std::string_view text) {
  constexpr std::int64_t kMost = 1000 * 100;
  std::string_view rest = text;
  const auto number = take_number(rest);
  const auto percent = number && rest.empty() ? multiply(*number, 100, kMost) : std::nullopt;
  if (percent && *percent > 0) return *percent;
  return invalid("ratio " + quoted(text) +
                 " is not understood; give one like 1 or 1.5, up to 1000");
}

Result<Bytes> parse_piece_length(std::string_view text) {
  const auto size = bytes_of(text, wire::kMaxPieceLength.count());
  const bool power = size && *size >= Bytes(16_KiB).count() && (*size & (*size - 1)) == 0;
  if (!power) {
    return invalid("piece length " + quoted(text) +
                   " is no power of two from 16 KiB to 64 MiB; give one like 65536 or 64k");
  }
  return Bytes(*size);
}

Result<Bytes> parse_size(std::string_view text) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  const auto size = bytes_of(text, kMost);
  if (size) return Bytes(*size);
  return invalid("size " + quoted(text) + " is not understood; give bytes like 500M or 1G");
}

Result<std::int64_t> parse_percent(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (number && rest == "%" && *number <= 100 * kMillion) return *number / 100;
  return invalid(quoted(text) + " is no percentage; give one like 39% or 0.5%, up to 100%");
}

Result<std::int64_t> parse_price(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (number && rest.empty()) return *number;
  return invalid(quoted(text) + " is no price; give one like 0.05");
}

Result<Endpoint> parse_listen(std::string_view text) {
  constexpr std::string_view kLocalhost = "localhost:";
  const bool local = text.starts_with(kLocalhost);
  const std::string numeric =
      local ? ":" + std::string(text.substr(kLocalhost.size())) : std::string(text);
  auto endpoint = net::parse_endpoint(numeric);
  if (endpoint) return endpoint;
  return invalid("address " + quoted(text) +
                 " is not understood; give a numeric HOST:PORT like 127.0.0.1:8080 or [::1]:0");
}

Result<std::int32_t> parse_count(std::string_view text) {
  constexpr std::int32_t kMost = 1'000'000;
  std::int32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && count >= 1 && count <= kMost) return count;
  return invalid(quoted(text) + " is no count; give a number of 1 to " + std::to_string(kMost));
}

Result<HostPort> parse_remote(std::string_view what, std::string_view text) {
  auto parsed = net::parse_host_port(text);
  if (parsed && parsed->port != 0) return parsed;
  return invalid(std::string(what) + " " + quoted(text) +
                 " is not understood; give HOST:PORT like 127.0.0.1:6881");
}

std::string address_text(const Endpoint& at) { return net::format_endpoint(at); }

Result<std::optional<std::int32_t>> parse_told_count(std::string_view text) {
  return told(parse_count(text));
}

Result<std::optional<Endpoint>> parse_told_listen(std::string_view text) {
  return told(parse_listen(text));
}

Result<std::optional<Duration>> parse_told_time(std::string_view text) {
  return told(parse_time(text));
}

Result<std::optional<std::int64_t>> parse_told_ratio(std::string_view text) {
  return told(parse_ratio(text));
}

Result<std::string> parse_edge(std::string_view text) {
  if (wire::is_http_url(text)) return std::string(text);
  return url_error("edge", text, "http or https", "https://cdn.example.org/music/");
}

Result<std::string> parse_tracker(std::string_view text) {
  if (wire::is_http_url(text)) return std::string(text);
  if (wire::is_udp_url(text)) {
    if (const auto udp = wire::parse_udp_tracker(text); !udp) {
      return invalid("tracker " + quoted(text) + ": " + udp.error().message);
    }
    return std::string(text);
  }
  return url_error("tracker", text, "http, https or udp",
                   "http://tracker.example.org:6969/announce");
}

Result<std::string> parse_source(std::string_view text) {
  if (wire::is_magnet(text)) {
    const auto magnet = wire::parse_magnet(text);
    if (!magnet) return magnet.error();
    return std::string(text);
  }
  if (text.find("://") == std::string_view::npos) return std::string(text);
  if (wire::is_http_url(text)) return std::string(text);
  return invalid("cannot play " + quoted(text) +
                 ": unknown scheme; give a .torrent file, a playlist, a magnet link, or an http or "
                 "https URL");
}

Result<void> check_span(Duration from, Duration until) {
  if (until > from) return {};
  return invalid("--until is not behind --from; give an end that is later than the start");
}

}  // namespace tributary::demo
