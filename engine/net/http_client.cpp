#include "engine/net/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <map>

#include "engine/base/check.h"
#include "engine/base/url.h"
#include "engine/net/source_address.h"
#include "engine/net/timer.h"

namespace tributary::net {
namespace {

// The largest that libcurl takes: fewer reads per megabyte.
constexpr long kReceiveBuffer = 512 * 1024;
// With a limit on the rate, a read takes no more than a block of its tokens.
constexpr long kLimitedReceiveBuffer = 16 * 1024;
// A server may close an idle connection after so long; a warm one is worth another HEAD then.
constexpr Duration kWarmFor = 30s;
constexpr std::size_t kMaxWarmHosts = 64;
constexpr std::size_t kMaxDetail = 256;

// OpenSSL takes 2 ms to get ready, beside which others can get on with what comes before a request.
const std::shared_future<CURLcode>& curl_ready() {
  static const std::shared_future<CURLcode> ready =
      std::async(std::launch::async, [] { return curl_global_init(CURL_GLOBAL_DEFAULT); });
  return ready;
}

long milliseconds(Duration time) {
  return static_cast<long>(std::max<std::int64_t>(time.count() / 1000, 1));
}

HttpError error_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpError::kNone;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpError::kBadUrl;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return HttpError::kUntrusted;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpError::kTimeout;
    case CURLE_TOO_MANY_REDIRECTS:
      return HttpError::kTooManyRedirects;
    case CURLE_FILESIZE_EXCEEDED:
      return HttpError::kTooLarge;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP2:
      return HttpError::kTruncated;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return HttpError::kProtocol;
    default:
      return HttpError::kConnect;
  }
}

std::string_view trim_line(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

// Tracks: the requests by id; those waiting to be added, and dropped ones waiting to be removed,
// because libcurl was on the stack; one poll handle per socket; curl's timer and the stall timer.
// Invariant: a request with `added` is in multi.
struct HttpClient::State {
  struct Request {
    State* client = nullptr;
    HttpRequestId id;
    HttpClientRequest ask;
    HttpHandlers handlers;
    std::unique_ptr<CURL, EasyDelete> easy;
    std::unique_ptr<curl_slist, ListDelete> fields;
    char detail[CURL_ERROR_SIZE] = {};
    HttpHeaders headers;
    Bytes head_size;
    Bytes received;
    bool added = false;
    bool head_told = false;
    bool cancelled = false;                // by cancel(): say nothing more
    HttpError stopped = HttpError::kNone;  // why we ended it ourselves
    bool connected = false;
    bool paused = false;  // waits for download tokens
    TimePoint last_activity;
  };
  struct Socket {
    State* client = nullptr;
    uv_poll_t poll{};
    curl_socket_t fd = CURL_SOCKET_BAD;
  };

  State(Loop& l, HttpClientOptions o)
      : loop(l), options(std::move(o)), stall_timer(l), pace_timer(l) {}

  Loop& loop;
  HttpClientOptions options;
  std::string environment_ca_file;
  CURLM* multi = nullptr;  // none before the first request
  uv_timer_t* timer = nullptr;
  Timer stall_timer;
  TimePoint stall_at = kNever;
  Timer pace_timer;              // for the paused
  TimePoint resume_at = kNever;  // when it is set
  HttpRequestId last_resumed;
  std::map<HttpRequestId, std::unique_ptr<Request>> requests;
  std::vector<HttpRequestId> waiting;
  std::vector<HttpRequestId> dropped;
  std::map<std::string, TimePoint, std::less<>> warm;  // by origin: last use
  std::uint64_t next_id = 1;
  int depth = 0;  // of libcurl on the stack

  void open_multi();
  void configure(Request& request);
  void configure_redirects(Request& request);
  void add(Request& request);
  void drive(curl_socket_t fd, int events);
  void settle();
  void finish(Request& request, CURLcode code);
  void remove(Request& request);
  void arm_stall(TimePoint at);
  void check_stalls();
  // What the request's body is spent from; null without a limit.
  TokenBucket* bucket_of(const Request& request) const {
    TokenBucket* bucket = request.ask.download ? request.ask.download : options.download;
    return bucket && !bucket->unlimited() ? bucket : nullptr;
  }
  void pause(Request& request, TimePoint until);
  void resume_paused();
  void note_use(std::string_view url);
  bool tell_head(Request& request);

  static int on_socket(CURL*, curl_socket_t fd, int what, void* client, void* socket);
  static int on_timer(CURLM*, long timeout_ms, void* client);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* request);
  static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* request);
  static int on_connected(void* request, char*, char*, int, int);
  static int on_socket_made(void*, curl_socket_t fd, curlsocktype);
  static curl_socket_t open_socket(void* client, curlsocktype, curl_sockaddr* remote);
};

// ---------------------------------------------------------------------------------------------
// libcurl on libuv.

int HttpClient::State::on_socket(CURL*, curl_socket_t fd, int what, void* client, void* known) {
  State& state = *static_cast<State*>(client);
  auto* socket = static_cast<Socket*>(known);
  if (what == CURL_POLL_REMOVE) {
    if (!socket) return 0;
    uv_poll_stop(&socket->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&socket->poll),
             [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
    curl_multi_assign(state.multi, fd, nullptr);
    return 0;
  }
  if (!socket) {
    socket = new Socket{&state, {}, fd};
    if (uv_poll_init_socket(state.loop.uv(), &socket->poll, fd) != 0) {
      delete socket;
      return -1;
    }
    socket->poll.data = socket;
    curl_multi_assign(state.multi, fd, socket);
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                     ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(&socket->poll, events, [](uv_poll_t* poll, int status, int got) {
    const Socket& s = *static_cast<Socket*>(poll->data);
    // Told of an error libcurl gives the request up; by reading it finds out what it is, and where
    // the server has just closed a connection that was kept, it asks again on a new one.
    if (status < 0) got = UV_READABLE;
    int flags = 0;
    if ((got & UV_READABLE) != 0) flags |= CURL_CSELECT_IN;
    if ((got & UV_WRITABLE) != 0) flags |= CURL_CSELECT_OUT;
    s.client->drive(s.fd, flags);
  });
  return 0;
}

int HttpClient::State::on_timer(CURLM*, long timeout_ms, void* client) {
  State& state = *static_cast<State*>(client);
  if (timeout_ms < 0) {
    uv_timer_stop(state.timer);
    return 0;
  }
  uv_update_time(state.loop.uv());
  uv_timer_start(
      state.timer,
      [](uv_timer_t* t) { static_cast<State*>(t->data)->drive(CURL_SOCKET_TIMEOUT, 0); },
      static_cast<std::uint64_t>(timeout_ms), 0);
  return 0;
}

void HttpClient::State::drive(curl_socket_t fd, int events) {
  int running = 0;
  ++depth;
  curl_multi_socket_action(multi, fd, events, &running);
  --depth;
  settle();
}

// With libcurl off the stack: ends what is over and starts what waited.
void HttpClient::State::settle() {
  if (depth > 0) return;
  for (const HttpRequestId id : std::exchange(dropped, {})) {
    if (const auto at = requests.find(id); at != requests.end()) remove(*at->second);
  }
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    finish(*reinterpret_cast<Request*>(owner), code);
  }
  while (!waiting.empty()) {
    const HttpRequestId id = waiting.front();
    waiting.erase(waiting.begin());
    if (const auto at = requests.find(id); at != requests.end()) add(*at->second);
  }
}

// ---------------------------------------------------------------------------------------------
// One request.

// An option of libcurl; its type is checked by the library's own macro.
#define TRIBUTARY_CURL(request, option, value) \
  TRIBUTARY_CHECK(curl_easy_setopt((request).easy.get(), option, value) == CURLE_OK)

void HttpClient::State::configure(Request& request) {
  const HttpClientRequest& ask = request.ask;
  TRIBUTARY_CURL(request, CURLOPT_PRIVATE, &request);
  TRIBUTARY_CURL(request, CURLOPT_ERRORBUFFER, request.detail);
  TRIBUTARY_CURL(request, CURLOPT_NOSIGNAL, 1L);
  TRIBUTARY_CURL(request, CURLOPT_USERAGENT, options.user_agent.c_str());
  TRIBUTARY_CURL(request, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  const bool limited = bucket_of(request) != nullptr;
  TRIBUTARY_CURL(request, CURLOPT_BUFFERSIZE, limited ? kLimitedReceiveBuffer : kReceiveBuffer);
  if (limited) TRIBUTARY_CURL(request, CURLOPT_SOCKOPTFUNCTION, &State::on_socket_made);
  if (source_of(loop) != nullptr) {
    TRIBUTARY_CURL(request, CURLOPT_OPENSOCKETFUNCTION, &State::open_socket);
    TRIBUTARY_CURL(request, CURLOPT_OPENSOCKETDATA, this);
  }
  TRIBUTARY_CURL(request, CURLOPT_TCP_KEEPALIVE, 1L);
  TRIBUTARY_CURL(request, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(ask.connect_timeout));
  if (ask.total_timeout > Duration::zero()) {
    TRIBUTARY_CURL(request, CURLOPT_TIMEOUT_MS, milliseconds(ask.total_timeout));
  }
  if (!options.environment_proxy) TRIBUTARY_CURL(request, CURLOPT_PROXY, "");
  if (!options.ca_file.empty()) {
    TRIBUTARY_CURL(request, CURLOPT_CAINFO, options.ca_file.c_str());
    TRIBUTARY_CURL(request, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  } else if (!environment_ca_file.empty()) {
    TRIBUTARY_CURL(request, CURLOPT_CAINFO, environment_ca_file.c_str());
  }
  if (ask.head) TRIBUTARY_CURL(request, CURLOPT_NOBODY, 1L);
  if (ask.range) {
    TRIBUTARY_CHECK(!ask.range->empty());
    const std::string range =
        std::to_string(ask.range->begin.count()) + '-' + std::to_string(ask.range->end.count() - 1);
    TRIBUTARY_CURL(request, CURLOPT_RANGE, range.c_str());
  }
  for (const auto& [name, value] : ask.headers) {
    std::string field = name;
    field.append(": ").append(value);
    curl_slist* grown = curl_slist_append(request.fields.get(), field.c_str());
    TRIBUTARY_CHECK(grown != nullptr);
    static_cast<void>(request.fields.release());
    request.fields.reset(grown);
  }
  TRIBUTARY_CURL(request, CURLOPT_HTTPHEADER, request.fields.get());
  TRIBUTARY_CURL(request, CURLOPT_HEADERFUNCTION, &State::on_header);
  TRIBUTARY_CURL(request, CURLOPT_HEADERDATA, &request);
  TRIBUTARY_CURL(request, CURLOPT_WRITEFUNCTION, &State::on_write);
  TRIBUTARY_CURL(request, CURLOPT_WRITEDATA, &request);
  TRIBUTARY_CURL(request, CURLOPT_PREREQFUNCTION, &State::on_connected);
  TRIBUTARY_CURL(request, CURLOPT_PREREQDATA, &request);
  configure_redirects(request);
}

// The option by text is newer than the oldest libcurl that is supported.
void HttpClient::State::configure_redirects(Request& request) {
  const bool secure = lower_case(request.ask.url.substr(0, 8)) == "https://";
  TRIBUTARY_CURL(request, CURLOPT_FOLLOWLOCATION, 1L);
  TRIBUTARY_CURL(request, CURLOPT_MAXREDIRS, long{kMaxRedirects});
#if LIBCURL_VERSION_NUM >= 0x075500
  TRIBUTARY_CURL(request, CURLOPT_PROTOCOLS_STR, "http,https");
  TRIBUTARY_CURL(request, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
  TRIBUTARY_CURL(request, CURLOPT_PROTOCOLS, long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
  TRIBUTARY_CURL(request, CURLOPT_REDIR_PROTOCOLS,
                 secure ? long{CURLPROTO_HTTPS} : long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
#endif
}

void HttpClient::State::add(Request& request) {
  request.easy.reset(curl_easy_init());
  TRIBUTARY_CHECK(request.easy != nullptr);
  configure(request);
  request.last_activity = loop.now();
  request.added = true;
  // A URL that libcurl cannot use is reported like any other failure, by the multi handle.
  static_cast<void>(curl_easy_setopt(request.easy.get(), CURLOPT_URL, request.ask.url.c_str()));
  TRIBUTARY_CHECK(curl_multi_add_handle(multi, request.easy.get()) == CURLM_OK);
  note_use(request.ask.url);
}

bool HttpClient::State::tell_head(Request& request) {
  if (request.head_told) return true;
  request.head_told = true;
  if (!request.handlers.on_head) return true;
  HttpResponseHead head;
  long status = 0;
  char* url = nullptr;
  curl_easy_getinfo(request.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(request.easy.get(), CURLINFO_EFFECTIVE_URL, &url);
  head.status = static_cast<int>(status);
  head.headers = std::move(request.headers);
  if (url) head.url = url;
  return request.handlers.on_head(head);
}

std::size_t HttpClient::State::on_header(char* data, std::size_t size, std::size_t count,
                                         void* owner) {
  Request& request = *static_cast<Request*>(owner);
  const std::string_view line(data, size * count);
  request.last_activity = request.client->loop.now();
  request.head_size += Bytes(static_cast<std::int64_t>(line.size()));
  if (request.head_size > kMaxHttpHead) {
    request.stopped = HttpError::kProtocol;
    return 0;
  }
  if (request.head_told) return line.size();  // trailers
  const std::size_t colon = line.find(':');
  if (line.substr(0, 5) == "HTTP/") {
    request.headers.clear();  // of the response before: a redirect or 1xx
  } else if (colon != std::string_view::npos && colon > 0) {
    add_header(request.headers, trim_line(line.substr(0, colon)),
               trim_line(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t HttpClient::State::on_write(char* data, std::size_t size, std::size_t count,
                                        void* owner) {
  Request& request = *static_cast<Request*>(owner);
  const std::size_t length = size * count;
  if (request.cancelled) return 0;
  request.last_activity = request.client->loop.now();
  if (!request.client->tell_head(request) || request.cancelled) {
    request.stopped = HttpError::kCancelled;
    return 0;
  }
  State& state = *request.client;
  if (TokenBucket* bucket = state.bucket_of(request)) {
    if (!bucket->may_take(request.last_activity)) {
      state.pause(request, bucket->ready_at(request.last_activity));
      return CURL_WRITEFUNC_PAUSE;
    }
    bucket->take(Bytes(static_cast<std::int64_t>(length)), request.last_activity);
  }
  request.received += Bytes(static_cast<std::int64_t>(length));
  if (request.received > request.ask.max_body) {
    request.stopped = HttpError::kTooLarge;
    return 0;
  }
  if (!request.handlers.on_body) return length;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(data), length);
  if (request.handlers.on_body(bytes) && !request.cancelled) return length;
  request.stopped = HttpError::kCancelled;
  return 0;
}

// What the system buffers ahead of a limit has crossed the network all the same.
int HttpClient::State::on_socket_made(void*, curl_socket_t fd, curlsocktype) {
  const int size = static_cast<int>(kLimitedReceiveBuffer) * 2;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return CURL_SOCKOPT_OK;
}

curl_socket_t HttpClient::State::open_socket(void* client, curlsocktype, curl_sockaddr* remote) {
  Loop& loop = static_cast<State*>(client)->loop;
  return open_from_source(loop, remote->socktype, remote->protocol, remote->addr);
}

int HttpClient::State::on_connected(void* owner, char*, char*, int, int) {
  Request& request = *static_cast<Request*>(owner);
  request.connected = true;
  request.last_activity = request.client->loop.now();
  request.client->arm_stall(request.last_activity + request.ask.stall_timeout);
  if (request.client->options.connected) request.client->options.connected();
  return CURL_PREREQFUNC_OK;
}

void HttpClient::State::finish(Request& request, CURLcode code) {
  HttpEnd end;
  end.error = request.stopped != HttpError::kNone ? request.stopped : error_of(code);
  if (end.error == HttpError::kConnect && request.connected) end.error = HttpError::kTruncated;
  end.received = request.received;
  if (end.error != HttpError::kNone) {
    end.detail = request.detail[0] != 0 ? request.detail : curl_easy_strerror(code);
    end.detail.resize(std::min(end.detail.size(), kMaxDetail));
    if (end.error == HttpError::kUntrusted) {
      end.detail += "; SSL_CERT_FILE can name a file of certificates to trust";
    }
  } else if (!request.cancelled) {
    ++depth;  // an empty body: nobody has seen the head yet
    if (!tell_head(request)) end.error = HttpError::kCancelled;
    --depth;
  }
  if (end.error == HttpError::kNone || request.head_told) {
    long status = 0;
    curl_easy_getinfo(request.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    end.status = static_cast<int>(status);
  }
  const bool silent = request.cancelled;
  const auto on_end = std::move(request.handlers.on_end);
  remove(request);
  if (!silent && on_end) on_end(end);
}

void HttpClient::State::remove(Request& request) {
  if (request.added) curl_multi_remove_handle(multi, request.easy.get());
  requests.erase(request.id);
}

// ---------------------------------------------------------------------------------------------
// Stalls: one timer for the earliest, looked at again when it fires.

void HttpClient::State::arm_stall(TimePoint at) {
  if (at >= stall_at && stall_timer.active()) return;
  stall_at = at;
  stall_timer.start(at, [this] { check_stalls(); });
}

void HttpClient::State::check_stalls() {
  const TimePoint now = loop.now();
  std::vector<HttpRequestId> stalled;
  TimePoint next = kNever;
  for (const auto& [id, request] : requests) {
    if (!request->connected || request->paused) continue;
    const TimePoint due = request->last_activity + request->ask.stall_timeout;
    if (due <= now) {
      stalled.push_back(id);
    } else {
      next = std::min(next, due);
    }
  }
  stall_at = kNever;
  if (next != kNever) arm_stall(next);
  for (const HttpRequestId id : stalled) {
    const auto at = requests.find(id);
    if (at != requests.end()) finish(*at->second, CURLE_OPERATION_TIMEDOUT);
  }
  settle();
}

void HttpClient::State::pause(Request& request, TimePoint until) {
  request.paused = true;
  if (resume_at <= until) return;
  resume_at = until;
  pace_timer.start(until, [this] { resume_paused(); });
}

// Each paused request gets its chance; those that find no tokens pause again.
void HttpClient::State::resume_paused() {
  resume_at = kNever;
  std::vector<HttpRequestId> ids;
  for (const auto& [id, request] : requests) {
    if (request->paused) ids.push_back(id);
  }
  std::rotate(ids.begin(), std::upper_bound(ids.begin(), ids.end(), last_resumed), ids.end());
  for (const HttpRequestId id : ids) {
    const auto at = requests.find(id);
    if (at == requests.end()) continue;
    at->second->paused = false;
    at->second->last_activity = loop.now();
    arm_stall(at->second->last_activity + at->second->ask.stall_timeout);
    ++depth;
    curl_easy_pause(at->second->easy.get(), CURLPAUSE_CONT);
    --depth;
    if (!at->second->paused) last_resumed = id;
  }
  settle();
}

void HttpClient::State::open_multi() {
  TRIBUTARY_CHECK(curl_ready().get() == CURLE_OK);
  multi = curl_multi_init();
  TRIBUTARY_CHECK(multi != nullptr);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_idle_connections));
}

void HttpClient::State::note_use(std::string_view url) {
  if (warm.size() >= kMaxWarmHosts) warm.clear();
  warm[origin_of(url)] = loop.now();
}

// ---------------------------------------------------------------------------------------------

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : state_(std::make_unique<State>(loop, std::move(options))) {
  curl_ready();
  if (const char* file = std::getenv("SSL_CERT_FILE")) state_->environment_ca_file = file;
  state_->timer = new uv_timer_t{};
  TRIBUTARY_CHECK(uv_timer_init(loop.uv(), state_->timer) == 0);
  state_->timer->data = state_.get();
}

HttpClient::~HttpClient() {
  TRIBUTARY_CHECK(state_->depth == 0);
  while (!state_->requests.empty()) state_->remove(*state_->requests.begin()->second);
  // Who exits meanwhile would take OpenSSL away from under it.
  curl_ready().wait();
  if (state_->multi) curl_multi_cleanup(state_->multi);
  uv_timer_stop(state_->timer);
  uv_close(reinterpret_cast<uv_handle_t*>(state_->timer),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

HttpRequestId HttpClient::start(HttpClientRequest request, HttpHandlers handlers) {
  if (!state_->multi) state_->open_multi();
  const HttpRequestId id(state_->next_id++);
  auto added = std::make_unique<State::Request>();
  added->client = state_.get();
  added->id = id;
  added->ask = std::move(request);
  added->handlers = std::move(handlers);
  State::Request& stored = *state_->requests.emplace(id, std::move(added)).first->second;
  if (state_->depth > 0) {
    state_->waiting.push_back(id);
  } else {
    state_->add(stored);  // libcurl sets its timer to zero: the next turn of the loop sends it
  }
  return id;
}

void HttpClient::cancel(HttpRequestId id) {
  const auto at = state_->requests.find(id);
  if (at == state_->requests.end()) return;
  State::Request& request = *at->second;
  request.cancelled = true;
  if (state_->depth == 0) {
    state_->remove(request);
  } else {
    state_->dropped.push_back(id);  // libcurl may not lose a handle within its own callbacks
  }
}

HttpRequestId HttpClient::fetch(HttpClientRequest request,
                                std::function<void(Result<HttpReply>)> done) {
  auto reply = std::make_shared<HttpReply>();
  const std::string host = origin_of(request.url);
  HttpHandlers handlers;
  handlers.on_head = [reply](const HttpResponseHead& head) {
    reply->head = head;
    return true;
  };
  handlers.on_body = [reply](std::span<const std::uint8_t> bytes) {
    reply->body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  };
  handlers.on_end = [reply, host, done = std::move(done)](const HttpEnd& end) {
    if (end.error == HttpError::kNone) return done(std::move(*reply));
    const ErrorCode code = end.error == HttpError::kTooLarge ? ErrorCode::kLimit
                           : end.error == HttpError::kBadUrl ? ErrorCode::kInvalid
                                                             : ErrorCode::kIo;
    done(Error{code, host + ": " + end.detail});
  };
  return start(std::move(request), std::move(handlers));
}

void HttpClient::resume() {
  state_->pace_timer.start(state_->loop.now(), [state = state_.get()] { state->resume_paused(); });
}

void HttpClient::warm_up(const std::string& url) {
  const auto known = state_->warm.find(origin_of(url));
  if (known != state_->warm.end() && state_->loop.now() < known->second + kWarmFor) return;
  HttpClientRequest request;
  request.url = url;
  request.head = true;
  request.total_timeout = kWarmFor;
  start(std::move(request), {});
}

std::size_t HttpClient::running() const { return state_->requests.size(); }

}  // namespace tributary::net
