#include "engine/net/http_server.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/net/address.h"
#include "engine/net/http_client.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;

struct Bench {
  explicit Bench(HttpHandler handler) {
    auto made = HttpServer::listen(loop, kAnyPort, std::move(handler));
    REQUIRE(made);
    server = std::move(*made);
  }
  HttpReply get(const std::string& target, bool head = false) {
    std::optional<HttpReply> reply;
    HttpClientRequest request;
    request.url = server->url() + target;
    request.head = head;
    client.fetch(request, [&](Result<HttpReply> r) {
      REQUIRE(r);
      reply = std::move(*r);
    });
    REQUIRE(loop.run_until([&] { return reply.has_value(); }, kPatience));
    return *reply;
  }
  Loop loop;
  std::unique_ptr<HttpServer> server;
  HttpClient client{loop};
};

TEST_CASE("the handler sees the request as it was sent") {
  HttpServerRequest seen;
  Bench b([&](const HttpServerRequest& request) {
    seen = request;
    return HttpResponse{201, {{"X-Answer", "42"}}, std::string("hello")};
  });
  const HttpReply reply = b.get("/a%20b/c?x=%2B1&y");
  CHECK(seen.method == "GET");
  CHECK(seen.path == "/a%20b/c");
  CHECK(seen.query == "x=%2B1&y");
  CHECK(header_value(seen.headers, "host").has_value());
  CHECK(seen.remote.is_v4());
  CHECK(reply.head.status == 201);
  CHECK(header_value(reply.head.headers, "x-answer") == "42");
  CHECK(reply.body == "hello");
}

TEST_CASE("HEAD names the length and sends no body") {
  Bench b([](const HttpServerRequest&) { return HttpResponse{200, {}, std::string("hello")}; });
  const HttpReply reply = b.get("/", true);
  CHECK(header_value(reply.head.headers, "content-length") == "5");
  CHECK(reply.body.empty());
}

TEST_CASE("an answer may come later, from the handler's own doing or another turn") {
  HttpServer* server = nullptr;
  Loop* loop = nullptr;
  Bench b([&](const HttpServerRequest& request) -> std::optional<HttpResponse> {
    const auto answer = [&, id = request.id] {
      server->respond(id, {200, {}, std::string("late")});
    };
    if (request.path == "/now") {
      answer();
    } else {
      loop->post(answer);
    }
    return std::nullopt;
  });
  server = b.server.get();
  loop = &b.loop;
  CHECK(b.get("/now").body == "late");
  CHECK(b.get("/later").body == "late");
  b.server->respond(HttpExchangeId(999), {200, {}, std::string("to nobody")});
}

TEST_CASE("a stream may wait for its bytes and be resumed") {
  HttpServer* server = nullptr;
  Loop* loop = nullptr;
  Bench b([&](const HttpServerRequest& request) {
    BodyStream stream;
    stream.read = [&, id = request.id, step = 0](std::span<std::uint8_t> out) mutable {
      if (++step == 7) return BodyStream::kEnd;
      if (step % 2 == 0) {
        loop->post([&, id] { server->resume(id); });
        return BodyStream::kWait;
      }
      std::memcpy(out.data(), "abc", 3);
      return std::int64_t{3};
    };
    return HttpResponse{200, {}, std::move(stream)};
  });
  server = b.server.get();
  loop = &b.loop;
  CHECK(b.get("/").body == "abcabcabc");
}

// A socket that has sent a GET for the path.
int ask(const HttpServer& server, const std::string& path) {
  const sockaddr_storage at = to_sockaddr(server.address());
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof(sockaddr_in)) == 0);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n";
  REQUIRE(write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  return fd;
}

TEST_CASE("a client that hangs up while its stream waits ends the exchange at once") {
  const auto alive = std::make_shared<int>(0);
  int reads = 0;
  Bench b([&](const HttpServerRequest&) {
    BodyStream stream;
    stream.read = [&reads, alive](std::span<std::uint8_t> out) -> std::int64_t {
      if (++reads > 1) return BodyStream::kWait;
      out[0] = 'a';
      return 1;
    };
    return HttpResponse{200, {}, std::move(stream)};
  });
  const int fd = ask(*b.server, "/");
  REQUIRE(b.loop.run_until([&] { return reads == 2; }, kPatience));
  REQUIRE(alive.use_count() > 1);
  close(fd);
  CHECK(b.loop.run_until([&] { return alive.use_count() == 1; }, kPatience));
}

TEST_CASE("a client that hangs up before its answer leaves nothing that waits for one") {
  std::optional<HttpExchangeId> asked;
  Bench b([&](const HttpServerRequest& request) -> std::optional<HttpResponse> {
    if (request.path != "/wait") return HttpResponse{200, {}, std::string("here")};
    asked = request.id;
    return std::nullopt;
  });
  const int fd = ask(*b.server, "/wait");
  REQUIRE(b.loop.run_until([&] { return asked.has_value(); }, kPatience));
  close(fd);
  CHECK(b.get("/").body == "here");
  b.server->respond(*asked, {200, {}, std::string("to nobody")});
  CHECK(b.get("/").body == "here");
}

TEST_CASE("a connection that waited once serves the next exchange all the same") {
  HttpServer* server = nullptr;
  Loop* loop = nullptr;
  Bench b([&](const HttpServerRequest& request) -> std::optional<HttpResponse> {
    loop->post([&, id = request.id] { server->respond(id, {200, {}, std::string("late")}); });
    return std::nullopt;
  });
  server = b.server.get();
  loop = &b.loop;
  for (int i = 0; i < 5; ++i) CHECK(b.get("/").body == "late");
}

TEST_CASE("a file's region is sent from its offset") {
  char name[] = "/tmp/tributary-http-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0);
  unlink(name);
  std::string content(1'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * i >> 3);
  REQUIRE(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  Bench b([&](const HttpServerRequest&) {
    return HttpResponse{200, {}, FileRegion{dup(fd), 1000_B, 900'000_B}};
  });
  CHECK(b.get("/").body == content.substr(1000, 900'000));
  close(fd);
}

TEST_CASE("a port that is taken is named, with a way out") {
  Loop loop;
  const HttpHandler handler = [](const HttpServerRequest&) { return HttpResponse{}; };
  const auto first = HttpServer::listen(loop, kAnyPort, handler);
  REQUIRE(first);
  const auto second = HttpServer::listen(loop, (*first)->address(), handler);
  REQUIRE(!second);
  const std::string where = (*first)->url().substr(7);
  CHECK(second.error().message ==
        "cannot listen on " + where + ": address already in use; choose another with --listen");
}

TEST_CASE("a server goes down with exchanges open") {
  HttpServerRequest seen;
  Bench b([&](const HttpServerRequest& request) -> std::optional<HttpResponse> {
    seen = request;
    return std::nullopt;
  });
  std::optional<bool> ok;
  HttpClientRequest request;
  request.url = b.server->url() + "/open";
  b.client.fetch(request, [&](const Result<HttpReply>& r) { ok = r.ok(); });
  REQUIRE(b.loop.run_until([&] { return !seen.path.empty(); }, kPatience));
  b.server.reset();
  REQUIRE(b.loop.run_until([&] { return ok.has_value(); }, kPatience));
  CHECK(!*ok);
}

}  // namespace
}  // namespace tributary::net
