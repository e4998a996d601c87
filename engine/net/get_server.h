// An HTTP/1.1 server for short answers to GETs, one to a connection: what a tracker is asked. It
// costs four system calls a request where http_server.h, which serves files to connections that
// stay, needs about a dozen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/net/loop.h"
#include "engine/wire/octets.h"

namespace tributary::net {

struct GetServerOptions {
  // Connections whose request is not whole, or whose answer did not fit the socket, each with 2 kB
  // or what it has sent. All others are gone at once.
  std::size_t max_waiting = 1024;
  std::size_t max_waiting_per_address = 512;  // so that one address cannot take all of them
  // From its acceptance on a waiting connection has so long, whatever it sends.
  Duration patience = 15s;
};

struct GetRequest {
  std::string_view path;  // as sent; percent-encoded
  std::string_view query;
  Endpoint remote;
};

struct GetAnswer {
  int status = 200;  // 200, 400, 404 or 405
  wire::OctetBuffer body;
};

// Loop thread only. The handler must not destroy the server; the request's views hold during the
// call. Other methods than GET are answered with 405, what is no HTTP with 400.
class GetServer {
 public:
  using Handler = std::function<GetAnswer(const GetRequest&)>;

  // Listens at once. A port of 0 lets the system choose. Errors as open_listener().
  static Result<std::unique_ptr<GetServer>> listen(Loop& loop, const Endpoint& address,
                                                   Handler handler, GetServerOptions options = {});
  // Breaks open connections.
  ~GetServer();
  GetServer(const GetServer&) = delete;
  GetServer& operator=(const GetServer&) = delete;

  // The actual address, with the port the system chose.
  const Endpoint& address() const;
  std::string url() const;  // "http://127.0.0.1:8080", without a final slash

 private:
  struct State;
  explicit GetServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tributary::net
