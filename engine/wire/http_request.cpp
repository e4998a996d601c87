#include "engine/wire/http_request.h"

#include <algorithm>

#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

Error no_request() { return invalid("no HTTP request"); }

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
  });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 0x7f; });
}

}  // namespace

Result<std::optional<HttpRequestHead>> read_http_request(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kMaxHttpRequestHead).find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() < kMaxHttpRequestHead) return std::optional<HttpRequestHead>();
    return Error{ErrorCode::kLimit, "the head of an HTTP request is over 16 KiB"};
  }
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return no_request();
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  const bool known = version.size() == 8 && version.starts_with("HTTP/1.");
  if (!known || !is_token(method) || target.empty() || !is_printable(target)) return no_request();
  const UrlParts parts = split_url(target);  // of a proxy it may be a whole URL
  return std::optional(HttpRequestHead{method, parts.path, parts.query.value_or("")});
}

}  // namespace tributary::wire
