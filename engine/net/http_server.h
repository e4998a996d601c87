// An HTTP/1.1 server on the event loop, over libmicrohttpd without threads of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/net/http_headers.h"
#include "engine/net/loop.h"

namespace tributary::net {

using HttpExchangeId = Id<struct HttpExchangeIdTag, std::uint64_t>;

// Request bodies are commands and forms, not uploads; longer ones are answered with 413.
inline constexpr Bytes kMaxRequestBody = 64_KiB;

struct HttpServerRequest {
  HttpExchangeId id;
  std::string method;
  std::string path;     // as sent, without the query; percent-encoded
  std::string query;    // what follows '?', percent-encoded
  HttpHeaders headers;  // names in lower case
  std::string body;
  Endpoint remote;
};

// Bytes of an open file; sent by the kernel where it can.
struct FileRegion {
  int fd = -1;  // taken over
  Bytes offset;
  Bytes length;
};

// A body made as it is sent. `read` fills the span and returns how many bytes it wrote (> 0), or
// one of the constants. It is called on the loop thread, and destroyed when the exchange is over,
// however it ended; with kWait nothing is called until resume().
struct BodyStream {
  static constexpr std::int64_t kWait = 0;
  static constexpr std::int64_t kEnd = -1;
  static constexpr std::int64_t kAbort = -2;  // break the connection
  std::optional<Bytes> length;                // nothing: chunked
  std::function<std::int64_t(std::span<std::uint8_t>)> read;
};

// For HEAD requests the body names the length and is not sent.
struct HttpResponse {
  int status = 200;
  HttpHeaders headers;  // Content-Length and Date are added
  std::variant<std::string, FileRegion, BodyStream> body;
};

struct HttpServerOptions {
  // Far above what one listener opens; bounds descriptors and memory (32 KiB each).
  unsigned max_connections = 1024;
  // So that one address cannot take all of them; loopback tools open many.
  unsigned max_connections_per_address = 512;
  // An idle or unmoving connection is closed after so long; whole seconds, zero: never.
  Duration idle_timeout = 60s;
};

// The answer, or nothing to answer later by respond(). A client that hangs up while it waits for
// that, or for a stream that returned kWait, is noticed at once: the exchange is over then. So is
// one that only shuts down its sending side meanwhile.
using HttpHandler = std::function<std::optional<HttpResponse>(const HttpServerRequest&)>;

// Loop thread only. The handler must not destroy the server.
class HttpServer {
 public:
  // Listens at once. A port of 0 lets the system choose. Errors name the address and how to mend
  // it, such as "cannot listen on 127.0.0.1:8080: address already in use; choose another with
  // --listen".
  static Result<std::unique_ptr<HttpServer>> listen(Loop& loop, const Endpoint& address,
                                                    HttpHandler handler,
                                                    HttpServerOptions options = {});
  // Breaks open connections.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The actual address, with the port the system chose.
  Endpoint address() const;
  std::string url() const;  // "http://127.0.0.1:8080", without a final slash

  // Answers an exchange that the handler left open. Ids that are over are ignored.
  void respond(HttpExchangeId id, HttpResponse response);
  // Lets a stream that returned kWait be read again.
  void resume(HttpExchangeId id);

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tributary::net
