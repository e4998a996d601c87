// The embedded CDN origin: serves one directory over HTTP, with ranges, validators and counters.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/net/http_server.h"
#include "engine/net/loop.h"

namespace tributary::cdn {

struct OriginOptions {
  // Over all responses, and of one response; BitRate() is no limit. Shaped bodies leave in steps of
  // a few milliseconds.
  BitRate total_rate;
  BitRate response_rate;
  net::HttpServerOptions server;
};

struct OriginCounters {
  std::int64_t requests = 0;
  Bytes body_sent;  // with a limit: as handed to the network; without: as answered
  std::map<int, std::int64_t> by_status;
};

// One answered request, for a live log. Valid during the call.
struct OriginAccess {
  const net::HttpServerRequest& request;
  int status = 0;
  Bytes length;  // of the body
};

// Loop thread only. Files are opened beneath the directory by the kernel's own check, so that
// neither
// ".." nor a symbolic link leads out of it; directories are not listed. GET and HEAD only.
class Origin {
 public:
  using AccessLog = std::function<void(const OriginAccess&)>;

  // Errors name the directory or the address and how to mend it.
  static Result<std::unique_ptr<Origin>> serve(net::Loop& loop, const std::string& directory,
                                               const Endpoint& address, OriginOptions options = {});
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  Endpoint address() const;
  std::string url() const;  // "http://127.0.0.1:8080", without a final slash
  const OriginCounters& counters() const;
  void set_access_log(AccessLog log);

 private:
  struct State;
  explicit Origin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tributary::cdn
