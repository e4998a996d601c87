#include "engine/net/http_client.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "tests/support/fault_origin.h"

namespace tributary::net {
namespace {

using tributary::test::Fault;
using tributary::test::FaultOrigin;

constexpr Duration kPatience = 20s;  // a failed test ends; no assertion depends on it

std::string sample(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * 7 % 26);
  return text;
}

struct Outcome {
  std::optional<HttpResponseHead> head;
  std::string body;
  std::optional<HttpEnd> end;
};

struct Bench {
  Loop loop;
  FaultOrigin origin{loop, sample(100'000)};
  HttpClient client{loop};

  HttpHandlers record(Outcome& out) {
    HttpHandlers handlers;
    handlers.on_head = [&out](const HttpResponseHead& head) {
      out.head = head;
      return true;
    };
    handlers.on_body = [&out](std::span<const std::uint8_t> bytes) {
      out.body.append(bytes.begin(), bytes.end());
      return true;
    };
    handlers.on_end = [&out](const HttpEnd& end) { out.end = end; };
    return handlers;
  }
  HttpClientRequest ask(const std::string& path = "/track") {
    HttpClientRequest request;
    request.url = origin.url() + path;
    return request;
  }
  Outcome run(HttpClientRequest request) {
    Outcome out = run_beside(std::move(request));
    CHECK(client.running() == 0);
    return out;
  }
  // While others may run.
  Outcome run_beside(HttpClientRequest request) {
    Outcome out;
    client.start(std::move(request), record(out));
    REQUIRE(loop.run_until([&] { return out.end.has_value(); }, kPatience));
    return out;
  }
  Outcome run_with(Fault fault, int times = 1 << 30) {
    origin.inject(std::move(fault), times);
    return run(ask());
  }
};

TEST_CASE("a request with a bucket of its own is held back by it, and holds no other back") {
  Bench b;
  TokenBucket bucket{BitRate()};  // the burst of 64 KiB, then nothing
  HttpClientRequest limited = b.ask();
  limited.download = &bucket;
  Outcome held;
  const HttpRequestId id = b.client.start(std::move(limited), b.record(held));
  const Outcome whole = b.run_beside(b.ask());
  CHECK(whole.body == sample(100'000));
  CHECK_FALSE(held.end.has_value());
  REQUIRE(b.loop.run_until([&] { return held.body.size() >= 64 * 1024; }, kPatience));
  CHECK(held.body.size() < 100'000);
  b.client.cancel(id);
}

TEST_CASE("a range arrives with its head, bytes and end") {
  Bench b;
  HttpClientRequest request = b.ask();
  request.range = ByteRange{1000_B, 60'000_B};
  request.headers = {{"X-Test", "1"}};
  const Outcome out = b.run(request);
  CHECK(out.head->status == 206);
  CHECK(header_value(out.head->headers, "content-range") == "bytes 1000-59999/100000");
  CHECK(out.body == sample(100'000).substr(1000, 59'000));
  CHECK(out.end->error == HttpError::kNone);
  CHECK(out.end->received == 59'000_B);
  CHECK(b.origin.requests().front().find("X-Test: 1\r\n") != std::string::npos);
  CHECK(b.origin.requests().front().find("Range: bytes=1000-59999\r\n") != std::string::npos);
}

TEST_CASE("a connection is kept and used again, and a warmed one serves the first request") {
  Bench b;
  b.client.warm_up(b.origin.url() + "/track");
  REQUIRE(b.loop.run_until([&] { return b.client.running() == 0; }, kPatience));
  b.client.warm_up(b.origin.url() + "/other");
  CHECK(b.client.running() == 0);  // warm already
  b.run(b.ask());
  b.run(b.ask());
  CHECK(b.origin.connections() == 1);
  CHECK(b.origin.requests().size() == 3);
  CHECK(b.origin.requests().front().starts_with("HEAD "));
}

TEST_CASE("a connection is told of before the request goes out on it, new or kept") {
  Loop loop;
  FaultOrigin origin{loop, sample(100)};
  std::vector<std::size_t> requests_before;
  HttpClientOptions options;
  options.connected = [&] { requests_before.push_back(origin.requests().size()); };
  HttpClient client{loop, options};
  for (int i = 0; i < 2; ++i) {
    HttpClientRequest request;
    request.url = origin.url() + "/track";
    bool ended = false;
    client.start(std::move(request), {{}, {}, [&](const HttpEnd&) { ended = true; }});
    REQUIRE(loop.run_until([&] { return ended; }, kPatience));
  }
  CHECK(requests_before == std::vector<std::size_t>{0, 1});
}

TEST_CASE("a kept connection that the server has just reset costs another one, not the request") {
  Bench b;
  b.run(b.ask());
  Fault reset;
  reset.kind = Fault::Kind::kReset;
  b.origin.inject(reset, 1);
  const Outcome out = b.run(b.ask());
  CHECK(out.end->error == HttpError::kNone);
  CHECK(out.body == sample(100'000));
  CHECK(b.origin.connections() == 2);
  CHECK(b.origin.requests().size() == 3);
}

TEST_CASE("no handler runs before start returns, and an empty body still shows its head") {
  Bench b;
  b.origin.inject(
      {.kind = Fault::Kind::kStatus, .after = {}, .status = 204, .headers = "", .location = ""});
  Outcome out;
  b.client.start(b.ask(), b.record(out));
  CHECK(!out.head);
  REQUIRE(b.loop.run_until([&] { return out.end.has_value(); }, kPatience));
  CHECK(out.head->status == 204);
  CHECK(out.end->status == 204);
  CHECK(out.end->error == HttpError::kNone);
}

TEST_CASE("redirects are followed to the end but not for ever") {
  Bench b;
  FaultOrigin other(b.loop, "moved here");
  const Outcome moved = b.run_with({.kind = Fault::Kind::kRedirect,
                                    .after = {},
                                    .status = 0,
                                    .headers = "",
                                    .location = other.url() + "/new"});
  CHECK(moved.body == "moved here");
  CHECK(moved.head->url == other.url() + "/new");
  Fault loop;
  loop.kind = Fault::Kind::kRedirectLoop;
  const std::size_t before = b.origin.requests().size();
  CHECK(b.run_with(loop).end->error == HttpError::kTooManyRedirects);
  CHECK(b.origin.requests().size() - before == kMaxRedirects + 1);
}

TEST_CASE("credentials are not carried to another host, nor other schemes followed") {
  Bench b;
  FaultOrigin other(b.loop, "x");
  Fault away;
  away.kind = Fault::Kind::kRedirect;
  away.location = other.url() + "/";
  away.location.replace(away.location.find("127.0.0.1"), 9, "localhost");
  b.origin.inject(away);
  HttpClientRequest request = b.ask();
  request.headers = {{"Authorization", "Bearer secret"}};
  request.url.insert(7, "user:password@");
  b.run(request);
  REQUIRE(other.requests().size() == 1);
  CHECK(other.requests().front().find("Authorization") == std::string::npos);
  away.location = "file:///etc/passwd";
  const Outcome out = b.run_with(away);
  CHECK(out.end->error == HttpError::kBadUrl);
  CHECK(out.body.empty());
}

TEST_CASE("each kind of failure has its name") {
  Bench b;
  CHECK(b.run_with({.kind = Fault::Kind::kCloseAtOnce,
                    .after = {},
                    .status = 0,
                    .headers = "",
                    .location = ""})
            .end->error == HttpError::kTruncated);
  CHECK(b.run_with({.kind = Fault::Kind::kClose,
                    .after = 5000_B,
                    .status = 0,
                    .headers = "",
                    .location = ""})
            .end->error == HttpError::kTruncated);
  CHECK(
      b.run_with(
           {.kind = Fault::Kind::kGarbage, .after = {}, .status = 0, .headers = "", .location = ""})
          .end->error != HttpError::kNone);
  CHECK(b.run_with({.kind = Fault::Kind::kHugeHead,
                    .after = {},
                    .status = 0,
                    .headers = "",
                    .location = ""})
            .end->error == HttpError::kProtocol);
  HttpClientRequest request = b.ask();
  request.url = "ftp://127.0.0.1/x";
  CHECK(b.run(request).end->error == HttpError::kBadUrl);
  request.url = "http://127.0.0.1:1/x";
  CHECK(b.run(request).end->error == HttpError::kConnect);
}

TEST_CASE("without roots to trust nothing is asked, wherever the roots were named") {
  Bench b;
  HttpClientRequest request = b.ask();
  request.url.replace(0, 4, "https");
  ::setenv("SSL_CERT_FILE", "/nonexistent/environment.pem", 1);
  HttpClient by_environment(b.loop);
  ::unsetenv("SSL_CERT_FILE");
  HttpClientOptions options;
  options.ca_file = "/nonexistent/option.pem";
  HttpClient by_option(b.loop, options);
  for (HttpClient* client : {&by_environment, &by_option}) {
    Outcome out;
    client->start(request, b.record(out));
    REQUIRE(b.loop.run_until([&] { return out.end.has_value(); }, kPatience));
    CHECK(out.end->error == HttpError::kUntrusted);
    const char* name = client == &by_option ? "option.pem" : "environment.pem";
    CHECK(out.end->detail.find(name) != std::string::npos);
    CHECK(!out.head);
  }
  CHECK(b.origin.requests().empty());
}

TEST_CASE("a stall is noticed, whether before the head or within the body") {
  Bench b;
  for (const Bytes after : {0_B, 5000_B}) {
    b.origin.inject(
        {.kind = Fault::Kind::kStall, .after = after, .status = 0, .headers = "", .location = ""});
    HttpClientRequest request = b.ask();
    request.stall_timeout = 50ms;
    const Outcome out = b.run(request);
    CHECK(out.end->error == HttpError::kTimeout);
    CHECK(out.end->received == after);
  }
}

TEST_CASE("a body beyond the limit ends the request") {
  Bench b;
  HttpClientRequest request = b.ask();
  request.max_body = 99'999_B;
  CHECK(b.run(request).end->error == HttpError::kTooLarge);
  request.max_body = 100'000_B;
  CHECK(b.run(request).end->error == HttpError::kNone);
}

TEST_CASE("a cancelled request says nothing more, and others go on") {
  Bench b;
  Outcome dropped;
  Outcome kept;
  HttpRequestId id;
  HttpHandlers handlers = b.record(dropped);
  handlers.on_body = [&](std::span<const std::uint8_t>) {
    b.client.cancel(id);
    b.client.start(b.ask(), b.record(kept));
    return true;
  };
  id = b.client.start(b.ask(), std::move(handlers));
  REQUIRE(b.loop.run_until([&] { return kept.end.has_value(); }, kPatience));
  CHECK(dropped.head);
  CHECK(!dropped.end);
  CHECK(kept.body == sample(100'000));
  CHECK(b.client.running() == 0);
}

TEST_CASE("a request can be cancelled before its first turn") {
  Bench b;
  Outcome dropped;
  b.client.cancel(b.client.start(b.ask(), b.record(dropped)));
  b.run(b.ask());
  CHECK(!dropped.end);
  CHECK(b.origin.requests().size() == 1);
}

TEST_CASE("a client that goes takes its requests along") {
  Loop loop;
  FaultOrigin origin(loop, "x");
  auto client = std::make_unique<HttpClient>(loop);
  bool called = false;
  HttpClientRequest request;
  request.url = origin.url();
  client->fetch(request, [&](const Result<HttpReply>&) { called = true; });
  client.reset();
  CHECK(!loop.run_until([&] { return called; }, 1ms));
}

}  // namespace
}  // namespace tributary::net
