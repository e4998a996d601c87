#include "tests/support/fault_origin.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "engine/base/check.h"

namespace tributary::test {
namespace {

std::string line(const std::string& name, const std::string& value) {
  return name + ": " + value + "\r\n";
}

}  // namespace

struct FaultOrigin::State {
  struct Connection {
    uv_tcp_t tcp{};
    State* origin = nullptr;
    std::string input;
    char buffer[16384];
  };
  struct Write {
    uv_write_t request{};
    std::string data;
    Connection* connection = nullptr;
    bool then_close = false;
  };

  std::string content;
  uv_tcp_t* listener = nullptr;
  std::uint16_t port = 0;
  Fault fault;
  int times = 0;
  std::vector<std::string> heads;
  int accepted = 0;
  std::set<Connection*> open;

  void accept();
  void shut(Connection* connection);
  void reset(Connection* connection);
  void on_input(Connection* connection);
  void answer(Connection* connection, const std::string& head);
  void send(Connection* connection, std::string data, bool then_close);
  void serve(Connection* connection, const std::string& head, const Fault& f);
  ByteRange range_of(const std::string& head) const;
};

void FaultOrigin::State::accept() {
  auto* connection = new Connection;
  connection->origin = this;
  connection->tcp.data = connection;
  TRIBUTARY_CHECK(uv_tcp_init(listener->loop, &connection->tcp) == 0);
  auto* stream = reinterpret_cast<uv_stream_t*>(&connection->tcp);
  TRIBUTARY_CHECK(uv_accept(reinterpret_cast<uv_stream_t*>(listener), stream) == 0);
  open.insert(connection);
  ++accepted;
  uv_read_start(
      stream,
      [](uv_handle_t* h, std::size_t, uv_buf_t* buf) {
        auto* c = static_cast<Connection*>(h->data);
        *buf = uv_buf_init(c->buffer, sizeof c->buffer);
      },
      [](uv_stream_t* s, ssize_t got, const uv_buf_t* buf) {
        auto* c = static_cast<Connection*>(s->data);
        if (got < 0) return c->origin->shut(c);
        c->input.append(buf->base, static_cast<std::size_t>(got));
        c->origin->on_input(c);
      });
}

void FaultOrigin::State::shut(Connection* connection) {
  if (open.erase(connection) == 0) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&connection->tcp),
           [](uv_handle_t* h) { delete static_cast<Connection*>(h->data); });
}

void FaultOrigin::State::reset(Connection* connection) {
  if (open.erase(connection) == 0) return;
  TRIBUTARY_CHECK(uv_tcp_close_reset(&connection->tcp, [](uv_handle_t* h) {
                    delete static_cast<Connection*>(h->data);
                  }) == 0);
}

void FaultOrigin::State::on_input(Connection* connection) {
  while (open.contains(connection)) {
    const std::size_t end = connection->input.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string head = connection->input.substr(0, end + 2);
    connection->input.erase(0, end + 4);
    answer(connection, head);
  }
}

void FaultOrigin::State::send(Connection* connection, std::string data, bool then_close) {
  auto* write = new Write{{}, std::move(data), connection, then_close};
  write->request.data = write;
  const uv_buf_t buf = uv_buf_init(write->data.data(), static_cast<unsigned>(write->data.size()));
  const auto done = [](uv_write_t* request, int) {
    const std::unique_ptr<Write> owned(static_cast<Write*>(request->data));
    Connection* c = owned->connection;
    if (owned->then_close && !uv_is_closing(reinterpret_cast<uv_handle_t*>(&c->tcp))) {
      c->origin->shut(c);
    }
  };
  TRIBUTARY_CHECK(uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&connection->tcp), &buf,
                           1, done) == 0);
}

ByteRange FaultOrigin::State::range_of(const std::string& head) const {
  const Bytes size(static_cast<std::int64_t>(content.size()));
  const std::size_t at = head.find("Range: bytes=");
  if (at == std::string::npos) return {0_B, size};
  char* rest = nullptr;
  const Bytes begin(std::strtoll(head.c_str() + at + 13, &rest, 10));
  const Bytes end(std::strtoll(rest + 1, nullptr, 10) + 1);
  return {begin, std::min(end, size)};
}

void FaultOrigin::State::answer(Connection* connection, const std::string& head) {
  heads.push_back(head);
  Fault f;
  if (times > 0) {
    --times;
    f = fault;
  }
  const std::string empty = line("Content-Length", "0");
  switch (f.kind) {
    case Fault::Kind::kCloseAtOnce:
      return shut(connection);
    case Fault::Kind::kReset:
      return reset(connection);
    case Fault::Kind::kGarbage:
      return send(connection, "SSH-2.0-OpenSSH_9.2\r\n", true);
    case Fault::Kind::kStatus:
      return send(connection,
                  "HTTP/1.1 " + std::to_string(f.status) + " x\r\n" + f.headers + empty + "\r\n",
                  false);
    case Fault::Kind::kRedirectLoop:
      f.location = head.substr(4, head.find(' ', 4) - 4);
      [[fallthrough]];
    case Fault::Kind::kRedirect:
      return send(connection,
                  "HTTP/1.1 302 Found\r\n" + line("Location", f.location) + empty + "\r\n", false);
    case Fault::Kind::kHugeHead: {
      std::string text = "HTTP/1.1 200 OK\r\n";
      while (text.size() < 200'000) text += line("X-Filler", std::string(1000, 'x'));
      return send(connection, text, false);
    }
    default:
      return serve(connection, head, f);
  }
}

void FaultOrigin::State::serve(Connection* connection, const std::string& head, const Fault& f) {
  using Kind = Fault::Kind;
  const ByteRange range = range_of(head);
  const bool whole = f.kind == Kind::kIgnoreRange || head.find("Range: ") == std::string::npos;
  std::string body = whole ? content
                           : content.substr(static_cast<std::size_t>(range.begin.count()),
                                            static_cast<std::size_t>(range.size().count()));
  if (f.kind == Kind::kWrongBytes) {
    for (char& c : body) c = static_cast<char>(~c);
  }
  std::string out = whole || f.kind == Kind::kTooLong ? "HTTP/1.1 200 OK\r\n"
                                                      : "HTTP/1.1 206 Partial Content\r\n";
  if (!whole && f.kind != Kind::kTooLong) {
    const Bytes shift = f.kind == Kind::kWrongRange ? 1_B : 0_B;
    out += line("Content-Range", "bytes " + std::to_string((range.begin + shift).count()) + '-' +
                                     std::to_string((range.end - 1_B).count()) + '/' +
                                     std::to_string(content.size()));
  }
  if (f.kind == Kind::kGzip) out += line("Content-Encoding", "gzip");
  if (f.kind == Kind::kTooLong) {
    send(connection, out + "\r\n" + content + std::string(100'000, '!'), true);
    return;
  }
  const std::size_t extra = f.kind == Kind::kWrongLength ? 1 : 0;
  out += line("Content-Length", std::to_string(body.size() + extra)) + "\r\n";
  const bool cut = f.kind == Kind::kStall || f.kind == Kind::kClose;
  if (cut) body.resize(std::min(body.size(), static_cast<std::size_t>(f.after.count())));
  if (head.rfind("HEAD ", 0) == 0) body.clear();
  send(connection, out + body, f.kind == Kind::kClose);
}

FaultOrigin::FaultOrigin(net::Loop& loop, std::string content) : state_(new State) {
  state_->content = std::move(content);
  state_->listener = new uv_tcp_t{};
  state_->listener->data = state_.get();
  TRIBUTARY_CHECK(uv_tcp_init(loop.uv(), state_->listener) == 0);
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", 0, &address);
  TRIBUTARY_CHECK(uv_tcp_bind(state_->listener, reinterpret_cast<const sockaddr*>(&address), 0) ==
                  0);
  const auto accept = [](uv_stream_t* s, int status) {
    if (status == 0) static_cast<State*>(s->data)->accept();
  };
  TRIBUTARY_CHECK(uv_listen(reinterpret_cast<uv_stream_t*>(state_->listener), 128, accept) == 0);
  int length = sizeof address;
  uv_tcp_getsockname(state_->listener, reinterpret_cast<sockaddr*>(&address), &length);
  state_->port = ntohs(address.sin_port);
}

FaultOrigin::~FaultOrigin() {
  while (!state_->open.empty()) state_->shut(*state_->open.begin());
  uv_close(reinterpret_cast<uv_handle_t*>(state_->listener),
           [](uv_handle_t* h) { delete reinterpret_cast<uv_tcp_t*>(h); });
}

std::string FaultOrigin::url() const { return "http://127.0.0.1:" + std::to_string(state_->port); }

void FaultOrigin::inject(Fault fault, int times) {
  state_->fault = std::move(fault);
  state_->times = times;
}

const std::vector<std::string>& FaultOrigin::requests() const { return state_->heads; }
int FaultOrigin::connections() const { return state_->accepted; }

}  // namespace tributary::test
