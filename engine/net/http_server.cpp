#include "engine/net/http_server.h"

#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/tcp_listener.h"
#include "engine/net/timer.h"

namespace tributary::net {
namespace {

// One read of a stream; large enough that the cost per call does not show.
constexpr std::size_t kStreamChunk = 128 * 1024;
// Each step of libmicrohttpd sends at most 128 KiB on each connection; several in one turn of the
// loop save its wakeups, few enough that others on the loop wait well below a millisecond.
constexpr int kStepsPerTurn = 4;
// Header fields of one request handed to the handler.
constexpr std::size_t kMaxFields = 100;

// An answer that nobody waits for.
void discard(const HttpResponse& response) {
  if (const auto* file = std::get_if<FileRegion>(&response.body)) close(file->fd);
}

int socket_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

}  // namespace

// Tracks: open exchanges by id. An exchange is made when its request line is in and goes when
// libmicrohttpd says that it is completed. Invariant: `suspended` says what libmicrohttpd thinks.
struct HttpServer::State {
  struct Exchange {
    ~Exchange() {
      if (late) discard(*late);
    }
    State* server = nullptr;
    MHD_Connection* connection = nullptr;
    HttpServerRequest request;
    bool begun = false;  // the first call, with the head alone, was made
    bool too_large = false;
    bool asked = false;  // the handler has seen it
    bool suspended = false;
    bool watched = false;              // its socket, for a hang-up
    bool gone = false;                 // the client hung up
    std::optional<HttpResponse> late;  // by respond(), for the next call
  };
  // What a stream's callbacks know; it may outlive the exchange by a moment.
  struct Stream {
    State* server = nullptr;
    HttpExchangeId id;
    BodyStream body;
  };

  State(Loop& l, HttpHandler h) : loop(l), handler(std::move(h)), next_turn(l) {}

  Loop& loop;
  HttpHandler handler;
  Endpoint address;
  MHD_Daemon* daemon = nullptr;
  uv_poll_t* poll = nullptr;
  // libmicrohttpd looks away from the sockets of suspended connections: these are watched here.
  int hang_ups = -1;  // epoll
  uv_poll_t* hang_ups_poll = nullptr;
  Timer next_turn;
  std::map<HttpExchangeId, std::unique_ptr<Exchange>> exchanges;
  std::uint64_t next_id = 1;
  bool running = false;

  Result<void> start(int fd, const HttpServerOptions& options);
  void run();
  void arm();
  void soon();
  void suspend(Exchange& exchange);
  void wake(Exchange& exchange);
  uv_poll_t* poll_fd(int fd, void (*call)(uv_poll_t*, int, int));
  void see_hang_ups();
  MHD_Result send(Exchange& exchange, HttpResponse response);
  MHD_Response* make_response(Exchange& exchange, HttpResponse& response);
  MHD_Result on_request(Exchange& exchange, const char* method, const char* data,
                        std::size_t* size);
  void read_head(Exchange& exchange, const char* method);

  static void* on_line(void* server, const char* uri, MHD_Connection* connection);
  static MHD_Result on_access(void* server, MHD_Connection*, const char*, const char* method,
                              const char*, const char* data, std::size_t* size, void** exchange);
  static void on_completed(void* server, MHD_Connection*, void** exchange,
                           MHD_RequestTerminationCode);
  static ssize_t on_read(void* stream, std::uint64_t, char* buffer, std::size_t size);
};

// ---------------------------------------------------------------------------------------------
// libmicrohttpd on libuv.

Result<void> HttpServer::State::start(int fd, const HttpServerOptions& options) {
  const auto idle = static_cast<unsigned>(options.idle_timeout.count() / 1'000'000);
  const auto no_unescape = +[](void*, MHD_Connection*, char* text) { return std::strlen(text); };
  const auto no_log = +[](void*, const char*, va_list) {};
  daemon = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, nullptr, nullptr,
      &State::on_access, this, MHD_OPTION_EXTERNAL_LOGGER, no_log, nullptr,
      // The loop ignores SIGPIPE; unless told so, libmicrohttpd copies files in 4 KiB steps instead
      // of using sendfile.
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_LISTEN_SOCKET, fd,
      MHD_OPTION_CONNECTION_LIMIT, options.max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      options.max_connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, idle,
      MHD_OPTION_URI_LOG_CALLBACK, &State::on_line, this, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape,
      nullptr, MHD_OPTION_NOTIFY_COMPLETED, &State::on_completed, this, MHD_OPTION_END);
  if (!daemon) {
    close(fd);
    return io_error("cannot start the HTTP server on " + format_endpoint(address) +
                    ": out of descriptors or memory; raise `ulimit -n`");
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  TRIBUTARY_CHECK(info != nullptr);
  hang_ups = epoll_create1(EPOLL_CLOEXEC);
  TRIBUTARY_CHECK(hang_ups >= 0);
  poll =
      poll_fd(info->epoll_fd, [](uv_poll_t* p, int, int) { static_cast<State*>(p->data)->run(); });
  hang_ups_poll = poll_fd(
      hang_ups, [](uv_poll_t* p, int, int) { static_cast<State*>(p->data)->see_hang_ups(); });
  return {};
}

uv_poll_t* HttpServer::State::poll_fd(int fd, void (*call)(uv_poll_t*, int, int)) {
  auto* made = new uv_poll_t{};
  TRIBUTARY_CHECK(uv_poll_init(loop.uv(), made, fd) == 0);
  made->data = this;
  uv_poll_start(made, UV_READABLE, call);
  return made;
}

// Edges alone, so that a connection is added once however often it is suspended.
void HttpServer::State::suspend(Exchange& exchange) {
  exchange.suspended = true;
  MHD_suspend_connection(exchange.connection);
  if (std::exchange(exchange.watched, true)) return;
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET;
  event.data.u64 = exchange.request.id.value();
  epoll_ctl(hang_ups, EPOLL_CTL_ADD, socket_of(exchange.connection), &event);
}

void HttpServer::State::see_hang_ups() {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(hang_ups, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const auto at = exchanges.find(HttpExchangeId(events[static_cast<std::size_t>(i)].data.u64));
    if (at == exchanges.end()) continue;
    at->second->gone = true;
    wake(*at->second);
  }
}

void HttpServer::State::run() {
  running = true;
  for (int step = 0; step < kStepsPerTurn; ++step) {
    MHD_run(daemon);
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    if (MHD_get_timeout(daemon, &timeout) != MHD_YES || timeout > 0) break;
  }
  running = false;
  arm();
}

void HttpServer::State::arm() {
  MHD_UNSIGNED_LONG_LONG timeout = 0;
  if (MHD_get_timeout(daemon, &timeout) != MHD_YES) return next_turn.stop();
  if (timeout == 0) return soon();
  next_turn.start(loop.now() + std::chrono::milliseconds(std::min<std::uint64_t>(timeout, 60'000)),
                  [this] { run(); });
}

void HttpServer::State::soon() {
  next_turn.start(TimePoint::min(), [this] { run(); });
}

void HttpServer::State::wake(Exchange& exchange) {
  if (!exchange.suspended) return;
  exchange.suspended = false;
  MHD_resume_connection(exchange.connection);
  if (!running) soon();
}

// ---------------------------------------------------------------------------------------------
// One exchange.

void* HttpServer::State::on_line(void* server, const char* uri, MHD_Connection* connection) {
  State& state = *static_cast<State*>(server);
  auto exchange = std::make_unique<Exchange>();
  exchange->server = &state;
  exchange->connection = connection;
  exchange->request.id = HttpExchangeId(state.next_id++);
  const std::string_view text(uri);
  const std::size_t mark = text.find('?');
  exchange->request.path = text.substr(0, mark);
  if (mark != std::string_view::npos) exchange->request.query = text.substr(mark + 1);
  Exchange* raw = exchange.get();
  state.exchanges.emplace(raw->request.id, std::move(exchange));
  return raw;
}

MHD_Result HttpServer::State::on_access(void* server, MHD_Connection*, const char*,
                                        const char* method, const char*, const char* data,
                                        std::size_t* size, void** exchange) {
  if (!*exchange) return MHD_NO;
  return static_cast<State*>(server)->on_request(*static_cast<Exchange*>(*exchange), method, data,
                                                 size);
}

void HttpServer::State::read_head(Exchange& exchange, const char* method) {
  exchange.request.method = method;
  const auto add = [](void* to, MHD_ValueKind, const char* name, const char* value) {
    auto& headers = *static_cast<HttpHeaders*>(to);
    if (headers.size() >= kMaxFields) return MHD_NO;
    add_header(headers, name, value ? value : "");
    return MHD_YES;
  };
  MHD_get_connection_values(exchange.connection, MHD_HEADER_KIND, add, &exchange.request.headers);
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(exchange.connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info && info->client_addr) exchange.request.remote = from_sockaddr(*info->client_addr);
}

MHD_Result HttpServer::State::on_request(Exchange& exchange, const char* method, const char* data,
                                         std::size_t* size) {
  if (!exchange.begun) {
    exchange.begun = true;
    read_head(exchange, method);
    return MHD_YES;
  }
  if (*size > 0) {
    const std::size_t room =
        static_cast<std::size_t>(kMaxRequestBody.count()) - exchange.request.body.size();
    exchange.too_large |= *size > room;
    if (!exchange.too_large) exchange.request.body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  if (exchange.too_large) return send(exchange, {.status = 413, .headers = {}, .body = {}});
  if (!exchange.asked) {
    exchange.asked = true;
    if (auto response = handler(exchange.request)) return send(exchange, std::move(*response));
  }
  if (exchange.gone) return MHD_NO;
  if (exchange.late) return send(exchange, std::move(*std::exchange(exchange.late, {})));
  suspend(exchange);
  return MHD_YES;
}

MHD_Response* HttpServer::State::make_response(Exchange& exchange, HttpResponse& response) {
  if (auto* text = std::get_if<std::string>(&response.body)) {
    return MHD_create_response_from_buffer(text->size(), text->data(), MHD_RESPMEM_MUST_COPY);
  }
  if (auto* file = std::get_if<FileRegion>(&response.body)) {
    return MHD_create_response_from_fd_at_offset64(
        static_cast<std::uint64_t>(file->length.count()), file->fd,
        static_cast<std::uint64_t>(file->offset.count()));
  }
  auto& body = std::get<BodyStream>(response.body);
  const std::uint64_t length =
      body.length ? static_cast<std::uint64_t>(body.length->count()) : MHD_SIZE_UNKNOWN;
  auto* stream = new Stream{this, exchange.request.id, std::move(body)};
  return MHD_create_response_from_callback(length, kStreamChunk, &State::on_read, stream,
                                           [](void* s) { delete static_cast<Stream*>(s); });
}

MHD_Result HttpServer::State::send(Exchange& exchange, HttpResponse response) {
  MHD_Response* made = make_response(exchange, response);
  if (!made) return MHD_NO;
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(made, name.c_str(), value.c_str());
  }
  const MHD_Result result =
      MHD_queue_response(exchange.connection, static_cast<unsigned>(response.status), made);
  MHD_destroy_response(made);
  return result;
}

ssize_t HttpServer::State::on_read(void* owner, std::uint64_t, char* buffer, std::size_t size) {
  Stream& stream = *static_cast<Stream*>(owner);
  const auto at = stream.server->exchanges.find(stream.id);
  if (at == stream.server->exchanges.end() || at->second->gone) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  const std::int64_t got = stream.body.read({reinterpret_cast<std::uint8_t*>(buffer), size});
  if (got > 0) return static_cast<ssize_t>(got);
  if (got == BodyStream::kEnd) return MHD_CONTENT_READER_END_OF_STREAM;
  if (got != BodyStream::kWait) return MHD_CONTENT_READER_END_WITH_ERROR;
  stream.server->suspend(*at->second);
  return 0;
}

void HttpServer::State::on_completed(void* server, MHD_Connection*, void** exchange,
                                     MHD_RequestTerminationCode) {
  if (!*exchange) return;
  State& state = *static_cast<State*>(server);
  const Exchange& over = *static_cast<Exchange*>(*exchange);
  // The connection may serve another exchange.
  if (over.watched) epoll_ctl(state.hang_ups, EPOLL_CTL_DEL, socket_of(over.connection), nullptr);
  state.exchanges.erase(over.request.id);
  *exchange = nullptr;
}

// ---------------------------------------------------------------------------------------------

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Loop& loop, const Endpoint& address,
                                                       HttpHandler handler,
                                                       HttpServerOptions options) {
  TRIBUTARY_TRY(fd, open_listener(address));
  auto state = std::make_unique<State>(loop, std::move(handler));
  state->address = local_address(fd);
  if (auto started = state->start(fd, options); !started) return started.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
  TRIBUTARY_CHECK(!state_->running);
  for (uv_poll_t* poll : {state_->poll, state_->hang_ups_poll}) {
    uv_poll_stop(poll);
    uv_close(reinterpret_cast<uv_handle_t*>(poll),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  }
  // libmicrohttpd cannot stop while connections are suspended.
  for (const auto& [id, exchange] : state_->exchanges) {
    if (std::exchange(exchange->suspended, false)) MHD_resume_connection(exchange->connection);
  }
  MHD_stop_daemon(state_->daemon);
  close(state_->hang_ups);
}

Endpoint HttpServer::address() const { return state_->address; }

std::string HttpServer::url() const { return "http://" + format_endpoint(state_->address); }

void HttpServer::respond(HttpExchangeId id, HttpResponse response) {
  const auto at = state_->exchanges.find(id);
  if (at == state_->exchanges.end() || !at->second->asked || at->second->late) {
    discard(response);
    return;
  }
  at->second->late = std::move(response);
  state_->wake(*at->second);
}

void HttpServer::resume(HttpExchangeId id) {
  const auto at = state_->exchanges.find(id);
  if (at != state_->exchanges.end()) state_->wake(*at->second);
}

}  // namespace tributary::net
