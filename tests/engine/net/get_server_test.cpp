#include "engine/net/get_server.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/net/http_client.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;

struct Bench {
  explicit Bench(GetServerOptions options = {}, std::size_t size = 3) {
    auto made = GetServer::listen(
        loop, kAnyPort,
        [this, size](const GetRequest& r) {
          asked.push_back(std::string(r.path) + "?" + std::string(r.query));
          CHECK(r.remote.is_loopback());
          return GetAnswer{r.path == "/a" ? 200 : 404, wire::OctetBuffer(size, 'x')};
        },
        options);
    REQUIRE(made.ok());
    server = std::move(*made);
  }
  bool wait(const std::function<bool()>& done) { return loop.run_until(done, kPatience); }
  // What a connection that sends this gets until the server closes it.
  std::string talk(std::initializer_list<std::string_view> parts) {
    RawPeer peer(loop, server->address());
    for (const std::string_view part : parts) {
      peer.send_text(part);
      bool turned = false;  // the parts come one by one
      loop.post([&] { turned = true; });
      REQUIRE(wait([&] { return turned; }));
    }
    REQUIRE(wait([&] { return peer.closed(); }));
    return std::string(wire::as_text(peer.received()));
  }

  Loop loop;
  std::vector<std::string> asked;
  std::unique_ptr<GetServer> server;
};

TEST_CASE("a GET is answered, and its connection closed") {
  Bench b;
  const std::string answer = b.talk({"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n"});
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(answer.find(" GMT\r\nConnection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\nContent-Length: 3\r\n\r\nxxx"));
  CHECK(b.asked == std::vector<std::string>{"/a?b=c"});
}

TEST_CASE("a request may come in parts, however small") {
  Bench b;
  CHECK(b.talk({"G", "ET /a HTTP/1.1\r", "\n", "\r\n"}).ends_with("\r\n\r\nxxx"));
  const std::string long_query(6000, 'q');
  CHECK(b.talk({"GET /a?" + long_query + " HTTP/1.1\r\n\r\n"}).ends_with("\r\n\r\nxxx"));
  CHECK(b.asked == std::vector<std::string>{"/a?", "/a?" + long_query});
}

TEST_CASE("other methods, other paths and other protocols are told apart") {
  Bench b;
  const std::string other = b.talk({"HEAD /a HTTP/1.1\r\n\r\n"});
  CHECK(other.starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n"));
  CHECK(b.talk({"GET /b HTTP/1.1\r\n\r\n"}).starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(b.talk({"hello\r\n\r\n"}).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(b.talk({"GET /" + std::string(20'000, 'x')}).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(b.asked == std::vector<std::string>{"/b?"});
}

TEST_CASE("an answer that no socket takes at once arrives whole") {
  constexpr std::size_t kSize = 16 << 20;
  Bench b({}, kSize);
  HttpClient client(b.loop);
  HttpClientRequest request;
  request.url = b.server->url() + "/a";
  std::optional<HttpReply> reply;
  client.fetch(request, [&](Result<HttpReply> r) { reply = std::move(*r); });
  REQUIRE(b.wait([&] { return reply.has_value(); }));
  CHECK(reply->head.status == 200);
  CHECK(reply->body == std::string(kSize, 'x'));
}

TEST_CASE("who does not come to the end of his request is given up, and too many are refused") {
  GetServerOptions options;
  options.max_waiting_per_address = 2;
  options.patience = 200ms;
  Bench b(options);
  std::vector<std::unique_ptr<RawPeer>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(std::make_unique<RawPeer>(b.loop, b.server->address()));
    slow.back()->send_text("GET /a");
  }
  const TimePoint start = b.loop.now();
  const auto closed = [&] {
    return std::count_if(slow.begin(), slow.end(), [](const auto& p) { return p->closed(); });
  };
  REQUIRE(b.wait([&] { return closed() == 1; }));
  CHECK(b.talk({"GET /a HTTP/1.1\r\n\r\n"}).ends_with("xxx"));  // others are served meanwhile
  REQUIRE(b.wait([&] { return closed() == 3; }));
  CHECK(b.loop.now() - start >= 200ms);
  CHECK(b.asked.size() == 1);
}

TEST_CASE("a server that goes breaks what is open") {
  Bench b;
  RawPeer peer(b.loop, b.server->address());
  peer.send_text("GET /a");
  HttpClient client(b.loop);  // served, so the other has been accepted before
  HttpClientRequest request;
  request.url = b.server->url() + "/a";
  bool done = false;
  client.fetch(request, [&](const Result<HttpReply>& r) { done = r.ok(); });
  REQUIRE(b.wait([&] { return done; }));
  b.server.reset();
  REQUIRE(b.wait([&] { return peer.closed(); }));
}

TEST_CASE("an address that is taken is an error that says so") {
  Bench b;
  const auto second = GetServer::listen(b.loop, b.server->address(), {});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message == "cannot listen on " + format_endpoint(b.server->address()) +
                                      ": address already in use; choose another with --listen");
}

}  // namespace
}  // namespace tributary::net
