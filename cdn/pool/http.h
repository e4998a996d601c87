// The seam between the pure edge pool and whatever speaks HTTP for it (cdn/http/fetcher.h, or the
// simulator's modelled CDN).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::cdn {

using HttpId = Id<struct HttpIdTag, std::uint64_t>;

// One byte range of one URL.
struct UrlRange {
  std::string url;
  ByteRange range;  // of the resource
  friend bool operator==(const UrlRange&, const UrlRange&) = default;
};

// Action: fetch the parts one after another on one connection and cut the joined bytes into blocks.
struct HttpGet {
  HttpId id;
  core::TorrentId torrent;
  std::vector<UrlRange> parts;  // usually one; several where blocks run across files (v1)
  struct Cut {
    core::BlockIndex block;
    Bytes length;
  };
  std::vector<Cut> cuts;                                     // lengths sum to the parts' sizes
  std::vector<std::pair<std::string, std::string>> headers;  // CMCD and the like
  Duration connect_timeout = 5s;
  Duration stall_timeout = 5s;  // no byte for so long: give up
};
// Action: stop; answered by HttpDone with kCancelled.
struct HttpCancel {
  HttpId id;
};
using HttpAction = std::variant<HttpGet, HttpCancel>;

enum class HttpOutcome {
  kOk,
  kCancelled,
  kConnectFailed,  // name, route, refusal, TLS
  kTimeout,        // connect or stall
  kServerError,    // 5xx or 429: the edge is in trouble, see retry_after
  kRefused,        // 4xx: this URL will not work here
  kRangeIgnored,   // 200 for a range too far in to skip to
  kBadRange,       // 416, or a Content-Range that is not what was asked for
  kEncoded,        // content-encoding that was not asked for
  kTruncated,      // the body ended early
  kTooManyRedirects,
};

// Inputs: the status line and headers are in and acceptable; the body follows.
struct HttpFirstByte {
  HttpId id;
};
// One block is whole.
struct HttpBlock {
  HttpId id;
  core::BlockIndex block;
  core::BufferId buffer;
};
struct HttpDone {
  HttpId id;
  HttpOutcome outcome = HttpOutcome::kOk;
  int status = 0;                       // last HTTP status; 0 when there was none
  std::optional<Duration> retry_after;  // from the header, seconds or date
  Bytes received;                       // body bytes, blocks and remainders alike
};
using HttpInput = std::variant<HttpFirstByte, HttpBlock, HttpDone>;

}  // namespace tributary::cdn
