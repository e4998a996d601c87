// What an origin answers for a file, as a function of the request and the file's metadata (RFC
// 9110).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdn/pool/header_values.h"
#include "engine/base/units.h"
#include "engine/net/http_headers.h"

namespace tributary::cdn {

struct FileFacts {
  Bytes size;
  WallTime modified;
  std::string etag;  // strong, with its quotes
};

struct FilePlan {
  int status = 200;  // 200, 206, 304, 412 or 416
  ByteRange body;    // of the file; empty for the last three
  net::HttpHeaders headers;
};

// REQUIRES: method is GET or HEAD; header names in lower case.
//
// Preconditions in the order of section 13.2.2. One byte range is served as 206. A Range header
// with several ranges, another unit or a syntax error is ignored, which section 14.2 allows: the
// answer is the whole file. HEAD ignores Range, as it must.
FilePlan plan_file_response(std::string_view method, const net::HttpHeaders& headers,
                            const FileFacts& file);

// The media type by the extension; "application/octet-stream" for others.
std::string_view content_type_of(std::string_view path);

}  // namespace tributary::cdn
