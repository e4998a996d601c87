#include "engine/wire/url.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

// Cuts off and returns what follows the mark, which itself goes.
std::optional<std::string_view> cut_after(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

void drop_last_segment(std::string& path) {
  const std::size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/', 1);
    std::string_view segment = path.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    const bool rooted = segment.front() == '/';
    const std::string_view name = rooted ? segment.substr(1) : segment;
    if (name == "..") drop_last_segment(out);
    if (name == "." || name == "..") {
      if (last && rooted) out += '/';
      path = last ? std::string_view() : path.substr(rooted ? slash : slash + 1);
      continue;
    }
    out += segment;
    path = last ? std::string_view() : path.substr(slash);
  }
  return out;
}

std::string merge_paths(const UrlParts& base, std::string_view reference) {
  if (base.authority && base.path.empty()) return "/" + std::string(reference);
  const std::size_t slash = base.path.rfind('/');
  const std::size_t keep = slash == std::string_view::npos ? 0 : slash + 1;
  return std::string(base.path.substr(0, keep)) + std::string(reference);
}

void append_encoded_path(std::string& out, std::string_view path) {
  for (char c : path) {
    if (c == '/') {
      out += c;
    } else {
      out += percent_encode({&c, 1});
    }
  }
}

}  // namespace

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  parts.fragment = cut_after(url, '#');
  parts.query = cut_after(url, '?');
  const std::size_t colon = url.find(':');
  if (colon != std::string_view::npos && is_scheme(url.substr(0, colon))) {
    parts.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 1);
  }
  if (url.starts_with("//")) {
    url.remove_prefix(2);
    parts.authority = url.substr(0, url.find('/'));
    url.remove_prefix(parts.authority->size());
  }
  parts.path = url;
  return parts;
}

std::string join_url(const UrlParts& parts) {
  std::string out;
  if (parts.scheme) out.append(*parts.scheme) += ':';
  if (parts.authority) out.append("//").append(*parts.authority);
  out += parts.path;
  if (parts.query) (out += '?').append(*parts.query);
  if (parts.fragment) (out += '#').append(*parts.fragment);
  return out;
}

bool is_http_url(std::string_view url) {
  if (url.size() > kMaxUrlLength) return false;
  if (std::any_of(url.begin(), url.end(),
                  [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f; })) {
    return false;
  }
  const UrlParts parts = split_url(url);
  if (!parts.scheme || !parts.authority || parts.authority->empty()) return false;
  std::string scheme(*parts.scheme);
  for (char& c : scheme) c = static_cast<char>(c | 0x20);
  return scheme == "http" || scheme == "https";
}

bool is_loopback_url(std::string_view url) {
  std::string_view host = split_url(url).authority.value_or(std::string_view());
  if (const std::size_t user = host.rfind('@'); user != host.npos) host.remove_prefix(user + 1);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
  host = host.substr(0, host.find(':'));
  if (host.starts_with("127.")) return host.find_first_not_of(".0123456789") == host.npos;
  constexpr std::string_view kName = "localhost";
  return std::equal(host.begin(), host.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string resolve_url(std::string_view base, std::string_view reference) {
  const UrlParts from = split_url(base);
  TRIBUTARY_CHECK(from.scheme.has_value());
  UrlParts to = split_url(reference);
  std::string path;
  if (to.scheme || to.authority) {
    path = remove_dot_segments(to.path);
  } else {
    to.authority = from.authority;
    if (to.path.empty()) {
      path = from.path;
      if (!to.query) to.query = from.query;
    } else {
      path = remove_dot_segments(to.path.front() == '/' ? std::string(to.path)
                                                        : merge_paths(from, to.path));
    }
  }
  if (!to.scheme) to.scheme = from.scheme;
  to.path = path;
  return join_url(to);
}

std::string web_seed_url(std::string_view edge, const core::TorrentInfo& info,
                         const core::FileEntry& file) {
  TRIBUTARY_CHECK(!file.pad);
  if (!info.multi_file) {
    std::string out(edge);
    if (edge.ends_with('/')) append_encoded_path(out, info.name);
    return out;
  }
  UrlParts parts = split_url(edge);
  std::string path(parts.path);
  if (!path.ends_with('/')) path += '/';
  append_encoded_path(path, info.name);
  path += '/';
  append_encoded_path(path, file.path);
  parts.path = path;
  return join_url(parts);
}

}  // namespace tributary::wire
