#include "engine/net/get_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <list>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/tcp_listener.h"
#include "engine/net/timer.h"
#include "engine/wire/http_request.h"

namespace tributary::net {
namespace {

// Connections served in one turn of the loop, some milliseconds' worth at most: others have theirs.
constexpr int kAcceptsPerTurn = 64;
// After a failure to accept for want of descriptors, when it is tried again.
constexpr Duration kAcceptRetry = 100ms;

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 404:
      return "404 Not Found";
    case 405:
      return "405 Method Not Allowed\r\nAllow: GET";
    default:
      return "400 Bad Request";
  }
}

// The Date field, which a server with a clock has to send (RFC 9110); made anew each second.
class DateField {
 public:
  std::string_view text() {
    const std::time_t now = std::time(nullptr);
    if (now != made_) {
      std::tm parts{};
      gmtime_r(&now, &parts);
      size_ =
          std::strftime(text_.data(), text_.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
      made_ = now;
    }
    return {text_.data(), size_};
  }

 private:
  std::array<char, 64> text_{};
  std::size_t size_ = 0;
  std::time_t made_ = -1;
};

// What the socket does not take at once is left in `answer`.
enum class Sent { kAll, kPart, kFailed };
Sent send_some(int fd, std::string& answer) {
  const ssize_t n = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Sent::kPart : Sent::kFailed;
  answer.erase(0, static_cast<std::size_t>(n));
  return answer.empty() ? Sent::kAll : Sent::kPart;
}

}  // namespace

// Tracks: the listener; the connections that wait, in the order in which they came, so that the
// first is the first to be given up.
struct GetServer::State {
  struct Waiting {
    State* server = nullptr;
    uv_poll_t poll{};
    int fd = -1;
    Endpoint remote;
    std::string received;
    std::string answer;  // empty: the request is not whole yet
    TimePoint deadline;
    std::list<Waiting*>::iterator place;
  };

  State(Loop& l, int listener, Handler h, const GetServerOptions& o)
      : loop(l),
        fd(listener),
        address(local_address(listener)),
        handler(std::move(h)),
        options(o),
        retry(l),
        patience(l) {}

  Loop& loop;
  int fd;
  Endpoint address;
  Handler handler;
  GetServerOptions options;
  uv_poll_t* poll = nullptr;
  Timer retry;     // of accepting
  Timer patience;  // until the first of `waiting` is given up
  std::list<Waiting*> waiting;
  DateField date;
  // One read takes any usual request; a longer one waits for the rest.
  std::array<char, 4096> space;

  void start();
  void watch();
  void accept_all();
  void serve(int connection, const Endpoint& remote);
  std::optional<std::string> answer_to(std::string_view received, const Endpoint& remote);
  std::string format(const GetAnswer& answer);
  void keep(int connection, const Endpoint& remote, std::string_view received, std::string answer);
  void on_ready(Waiting& w);
  void watch(Waiting& w);
  void drop(Waiting& w);
  void arm();
};

void GetServer::State::start() {
#ifdef TCP_DEFER_ACCEPT
  // Connections are shown when they have sent something, so that one read has the request.
  const int seconds = 5;
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
#endif
  poll = new uv_poll_t{};
  TRIBUTARY_CHECK(uv_poll_init(loop.uv(), poll, fd) == 0);
  poll->data = this;
  watch();
}

void GetServer::State::watch() {
  uv_poll_start(poll, UV_READABLE,
                [](uv_poll_t* p, int, int) { static_cast<State*>(p->data)->accept_all(); });
}

void GetServer::State::accept_all() {
  for (int n = 0; n < kAcceptsPerTurn; ++n) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const int connection =
        ::accept4(fd, reinterpret_cast<sockaddr*>(&from), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      serve(connection, from_sockaddr(reinterpret_cast<const sockaddr&>(from)));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      uv_poll_stop(poll);
      return retry.start(loop.now() + kAcceptRetry, [this] { watch(); });
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

void GetServer::State::serve(int connection, const Endpoint& remote) {
  const ssize_t n = ::recv(connection, space.data(), space.size(), 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) {
    close(connection);
    return;
  }
  const std::string_view received(space.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  std::optional<std::string> answer = answer_to(received, remote);
  if (!answer) return keep(connection, remote, received, {});
  if (send_some(connection, *answer) == Sent::kPart) {
    return keep(connection, remote, {}, *std::move(answer));
  }
  close(connection);
}

// Nothing while the request is not whole.
std::optional<std::string> GetServer::State::answer_to(std::string_view received,
                                                       const Endpoint& remote) {
  const auto head = wire::read_http_request(received);
  if (!head) return format({400, {}});
  if (!*head) return std::nullopt;
  if ((*head)->method != "GET") return format({405, {}});
  return format(handler({(*head)->path, (*head)->query, remote}));
}

std::string GetServer::State::format(const GetAnswer& answer) {
  std::string out = "HTTP/1.1 ";
  out.reserve(256 + answer.body.size());
  out.append(reason_of(answer.status)).append("\r\n").append(date.text());
  out.append("Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ");
  out.append(std::to_string(answer.body.size())).append("\r\n\r\n");
  return out.append(wire::as_text(answer.body));
}

// ---------------------------------------------------------------------------------------------
// Connections that wait.

void GetServer::State::keep(int connection, const Endpoint& remote, std::string_view received,
                            std::string answer) {
  const auto same = [&](const Waiting* w) { return w->remote.address == remote.address; };
  if (waiting.size() >= options.max_waiting ||
      static_cast<std::size_t>(std::count_if(waiting.begin(), waiting.end(), same)) >=
          options.max_waiting_per_address) {
    close(connection);
    return;
  }
  auto* w = new Waiting;
  w->server = this;
  w->fd = connection;
  w->remote = remote;
  w->received = received;
  w->answer = std::move(answer);
  w->deadline = loop.now() + options.patience;
  TRIBUTARY_CHECK(uv_poll_init(loop.uv(), &w->poll, connection) == 0);
  w->poll.data = w;
  w->place = waiting.insert(waiting.end(), w);
  watch(*w);
  if (waiting.size() == 1) arm();
}

void GetServer::State::watch(Waiting& w) {
  uv_poll_start(&w.poll, w.answer.empty() ? UV_READABLE : UV_WRITABLE, [](uv_poll_t* p, int, int) {
    auto& ready = *static_cast<Waiting*>(p->data);
    ready.server->on_ready(ready);
  });
}

void GetServer::State::on_ready(Waiting& w) {
  if (w.answer.empty()) {
    const ssize_t n = ::recv(w.fd, space.data(), space.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(w);
    w.received.append(space.data(), static_cast<std::size_t>(n));
    std::optional<std::string> answer = answer_to(w.received, w.remote);
    if (!answer) return;
    w.answer = *std::move(answer);
  }
  if (send_some(w.fd, w.answer) != Sent::kPart) return drop(w);
  watch(w);
}

void GetServer::State::drop(Waiting& w) {
  waiting.erase(w.place);
  const int connection = w.fd;
  uv_close(reinterpret_cast<uv_handle_t*>(&w.poll),
           [](uv_handle_t* handle) { delete static_cast<Waiting*>(handle->data); });
  close(connection);
}

void GetServer::State::arm() {
  if (waiting.empty()) return;
  patience.start(waiting.front()->deadline, [this] {
    const TimePoint now = loop.now();
    while (!waiting.empty() && waiting.front()->deadline <= now) drop(*waiting.front());
    arm();
  });
}

// ---------------------------------------------------------------------------------------------
// The public face.

GetServer::GetServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<GetServer>> GetServer::listen(Loop& loop, const Endpoint& address,
                                                     Handler handler, GetServerOptions options) {
  TRIBUTARY_TRY(fd, open_listener(address));
  auto state = std::make_unique<State>(loop, fd, std::move(handler), options);
  state->start();
  return std::unique_ptr<GetServer>(new GetServer(std::move(state)));
}

GetServer::~GetServer() {
  while (!state_->waiting.empty()) state_->drop(*state_->waiting.front());
  uv_close(reinterpret_cast<uv_handle_t*>(state_->poll),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  close(state_->fd);
}

const Endpoint& GetServer::address() const { return state_->address; }
std::string GetServer::url() const { return "http://" + format_endpoint(state_->address); }

}  // namespace tributary::net
