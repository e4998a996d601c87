#include "cdn/pool/cmcd.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tributary::cdn {
namespace {

constexpr std::size_t kMaxSessionLength = 64;  // CTA-5004, key sid

void append(std::string& to, std::string_view item) {
  if (!to.empty()) to += ',';
  to += item;
}

void append(std::string& to, std::string_view key, std::int64_t value) {
  append(to, std::string(key) + '=' + std::to_string(value));
}

void append_string(std::string& to, std::string_view key, std::string_view value) {
  std::string item = std::string(key) + "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') item += '\\';
    // A control character would end the header.
    if (c >= ' ' && c != 0x7f) item += c;
  }
  append(to, item + '"');
}

std::int64_t to_hundreds(std::int64_t value) {
  return std::max<std::int64_t>(value + 50, 0) / 100 * 100;
}

std::int64_t to_ms(Duration time) { return time.count() / 1000; }

std::string percent_encoded(std::string_view path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[(c >> 4) & 15];
      out += kDigits[c & 15];
    }
  }
  return out;
}

std::string request_keys(const Cmcd& data) {
  std::string out;
  if (data.buffered) append(out, "bl", to_hundreds(to_ms(*data.buffered)));
  if (data.deadline) append(out, "dl", to_hundreds(to_ms(*data.deadline)));
  if (data.throughput) append(out, "mtp", to_hundreds(data.throughput->bits_per_second() / 1000));
  if (!data.next_object.empty()) append_string(out, "nor", percent_encoded(data.next_object));
  if (data.next_range && !data.next_range->empty()) {
    append_string(out, "nrr",
                  std::to_string(data.next_range->begin.count()) + '-' +
                      std::to_string(data.next_range->end.count() - 1));
  }
  if (data.starting) append(out, "su");
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> cmcd_headers(const Cmcd& data) {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string object;
  if (data.media_rate) append(object, "br", data.media_rate->bits_per_second() / 1000);
  if (!object.empty()) headers.emplace_back("CMCD-Object", object);
  if (std::string keys = request_keys(data); !keys.empty()) {
    headers.emplace_back("CMCD-Request", std::move(keys));
  }
  std::string session;
  if (!data.session.empty()) {
    append_string(session, "sid", std::string_view(data.session).substr(0, kMaxSessionLength));
    headers.emplace_back("CMCD-Session", session);
  }
  if (data.stalled) headers.emplace_back("CMCD-Status", "bs");
  return headers;
}

}  // namespace tributary::cdn
