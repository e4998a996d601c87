// HTTP requests on the event loop, over libcurl's multi interface.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/net/http_headers.h"
#include "engine/net/loop.h"
#include "engine/net/rate_limiter.h"

namespace tributary::net {

using HttpRequestId = Id<struct HttpRequestIdTag, std::uint64_t>;

// More redirects than any CDN needs; more is a loop.
inline constexpr int kMaxRedirects = 5;
// All header lines of all responses of one request together.
inline constexpr Bytes kMaxHttpHead = 64_KiB;

struct HttpClientRequest {
  std::string url;    // http or https
  bool head = false;  // HEAD instead of GET
  HttpHeaders headers;
  std::optional<ByteRange> range;  // asked for by a Range header; not empty
  Duration connect_timeout = 5s;   // name, TCP and TLS
  Duration stall_timeout = 5s;     // once connected: no byte for so long
  Duration total_timeout{};        // zero: none
  // More body than that ends the request with kTooLarge.
  Bytes max_body = Bytes(INT64_MAX);
  // The body is spent from this bucket; null: from the client's. Must outlive the request.
  TokenBucket* download = nullptr;
};

// The final response's head; redirects that are followed are not shown.
struct HttpResponseHead {
  int status = 0;
  HttpHeaders headers;  // names in lower case; a repeated field's values joined with ", "
  std::string url;      // where it came from, after redirects
};

enum class HttpError {
  kNone,
  kCancelled,  // by cancel() or by a handler that returned false
  kBadUrl,     // malformed, or neither http nor https
  kConnect,    // name, route, refusal, TLS
  kUntrusted,  // the server's certificate was refused, or the trusted roots cannot be read
  kTimeout,
  kTooManyRedirects,
  kTruncated,  // the connection broke, or the body was shorter than announced
  kTooLarge,
  kProtocol,  // an answer that is not HTTP, or with a head beyond kMaxHttpHead
};

struct HttpEnd {
  HttpError error = HttpError::kNone;
  int status = 0;      // 0: no final response
  Bytes received;      // of the body
  std::string detail;  // for the log; empty when all went well
};

// Called on the loop thread. on_head precedes on_body; each may be empty, and ends the request by
// returning false. on_end comes exactly once, last, unless cancel() was called or the client is
// destroyed. All may call start() and cancel(); none may destroy the client.
struct HttpHandlers {
  std::function<bool(const HttpResponseHead&)> on_head;
  std::function<bool(std::span<const std::uint8_t>)> on_body;
  std::function<void(const HttpEnd&)> on_end;
};

struct HttpClientOptions {
  // Proxies named in the environment (http_proxy and so on) are used only when asked for.
  bool environment_proxy = false;
  std::string user_agent = "Tributary/0.1";
  // Idle connections kept warm, over all hosts; two per edge and tracker in use are plenty.
  int max_idle_connections = 32;
  // Bodies are read no faster than this allows; shared with others who spend from it. Null: no
  // limit. Must outlive the client.
  TokenBucket* download = nullptr;
  // A PEM file of trusted roots instead of the system's. Empty: the system's, of which the
  // environment's SSL_CERT_FILE replaces the file, as in other programs that use OpenSSL.
  std::string ca_file;
  // Called on the loop thread when a request has its connection, TLS and all, and is about to be
  // sent on it. Must not start or cancel requests. May be empty.
  std::function<void()> connected;
};

struct HttpReply {
  HttpResponseHead head;
  std::string body;
};

// Loop thread only. Tracks the running requests; connections are kept and reused between them.
// Redirects are followed up to kMaxRedirects, between http and https only and never from https to
// http; credentials and Authorization or Cookie headers are not carried to another host.
class HttpClient {
 public:
  explicit HttpClient(Loop& loop, HttpClientOptions options = {});
  // Drops what runs without further calls.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The request goes out on the loop's next turn. No handler, of this or another request, is called
  // before start() returns.
  HttpRequestId start(HttpClientRequest request, HttpHandlers handlers);
  // No handler of the request is called any more. An id that is over is ignored.
  void cancel(HttpRequestId id);

  // A small resource as a whole; the error is a line that names the URL's host. `done` is called
  // once.
  HttpRequestId fetch(HttpClientRequest request, std::function<void(Result<HttpReply>)> done);

  // Opens a connection to the URL's server ahead of need, by a HEAD whose answer does not matter;
  // does nothing when one was opened or used there lately.
  void warm_up(const std::string& url);

  // The rate of a bucket was changed: who waits for its tokens looks again.
  void resume();

  std::size_t running() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tributary::net
