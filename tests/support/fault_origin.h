// A web server that misbehaves as told: raw TCP on the event loop, so that it can say what no real
// server would.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/units.h"
#include "engine/net/loop.h"

namespace tributary::test {

struct Fault {
  enum class Kind {
    kNone,
    kWrongBytes,    // a correct answer whose bytes are inverted
    kWrongRange,    // a Content-Range other than the one asked for
    kWrongLength,   // a Content-Length that contradicts Content-Range
    kTooLong,       // 200 without a length, from the range's start on to the end and more
    kIgnoreRange,   // 200 with the whole resource
    kStatus,        // `status` with `headers`, empty body
    kStall,         // nothing more after `after` bytes of the body, the connection stays open
    kClose,         // the connection is closed after `after` bytes of the body
    kCloseAtOnce,   // without an answer
    kReset,         // the same, by a TCP reset
    kGzip,          // says Content-Encoding: gzip
    kRedirectLoop,  // 302 to itself
    kRedirect,      // 302 to `location`
    kGarbage,       // no HTTP
    kHugeHead,      // header lines without end
  };
  Kind kind = Kind::kNone;
  Bytes after;
  int status = 503;
  std::string headers;  // complete lines, such as "Retry-After: 3\r\n"
  std::string location;
};

// Serves `content` at every path. Loop thread only.
class FaultOrigin {
 public:
  FaultOrigin(net::Loop& loop, std::string content);
  ~FaultOrigin();
  FaultOrigin(const FaultOrigin&) = delete;
  FaultOrigin& operator=(const FaultOrigin&) = delete;

  std::string url() const;  // "http://127.0.0.1:port", without a final slash
  // The behaviour from now on, for the next `times` requests; correct ones follow.
  void inject(Fault fault, int times = 1 << 30);
  // The heads of all requests so far.
  const std::vector<std::string>& requests() const;
  int connections() const;  // accepted so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tributary::test
