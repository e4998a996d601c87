// The head of an HTTP/1.1 request (RFC 9112), as far as a server needs it that answers by the
// request line alone.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace tributary::wire {

// A tracker's longest query and some kilobytes of header fields.
inline constexpr std::size_t kMaxHttpRequestHead = 16U << 10;

struct HttpRequestHead {
  std::string_view method;
  std::string_view path;   // as sent, without the query; percent-encoded
  std::string_view query;  // what follows '?'; empty where there is none
};

// Views into `bytes`, which begin with the request; header fields are passed over. Nothing while
// the head is not whole. Errors: no HTTP/1 request line, or a head over kMaxHttpRequestHead.
Result<std::optional<HttpRequestHead>> read_http_request(std::string_view bytes);

}  // namespace tributary::wire
