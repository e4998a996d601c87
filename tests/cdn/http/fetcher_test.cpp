#include "cdn/http/fetcher.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cdn/http/origin.h"
#include "engine/base/random.h"
#include "engine/net/address.h"
#include "tests/support/any_port.h"
#include "tests/support/fault_origin.h"

namespace tributary::cdn {
namespace {

using core::BlockIndex;
using test::Fault;
using test::FaultOrigin;

constexpr Duration kPatience = 30s;

std::string sample(std::size_t size) {
  std::string text;
  Random random(5);
  while (text.size() < size) text += static_cast<char>(random.below(256));
  return text;
}
const std::string kContent = sample(3'000'000);

struct TempDir {
  TempDir() {
    char name[] = "/tmp/tributary-cdn-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  std::filesystem::path path;
};

struct Bench {
  net::Loop loop;
  net::HttpClient client{loop};
  net::BufferPool buffers;
  std::vector<int> blocks;
  std::string bytes;
  int first_bytes = 0;
  std::optional<HttpDone> done;
  Fetcher fetcher{loop, client, buffers, [this](const HttpInput& input) { take(input); }};
  std::function<void()> on_block;
  std::uint64_t last_id = 0;

  void take(const HttpInput& input) {
    if (std::holds_alternative<HttpFirstByte>(input)) ++first_bytes;
    if (const auto* block = std::get_if<HttpBlock>(&input)) {
      blocks.push_back(block->block.value());
      const auto data = buffers.data(block->buffer);
      bytes.append(data.begin(), data.end());
      buffers.release(block->buffer);
      if (on_block) on_block();
    }
    if (const auto* end = std::get_if<HttpDone>(&input)) done = *end;
  }
  HttpGet ask(std::vector<UrlRange> parts) {
    HttpGet get;
    get.id = HttpId(++last_id);
    get.parts = std::move(parts);
    Bytes size;
    for (const UrlRange& part : get.parts) size += part.range.size();
    for (int i = 0; size > 0_B; ++i) {
      get.cuts.push_back({BlockIndex(i), std::min(size, core::kBlockSize)});
      size -= get.cuts.back().length;
    }
    return get;
  }
  HttpDone run(HttpGet get) {
    blocks.clear();
    bytes.clear();
    first_bytes = 0;
    done.reset();
    fetcher.perform(std::move(get));
    REQUIRE(loop.run_until([&] { return done.has_value(); }, kPatience));
    CHECK(fetcher.running() == 0);
    CHECK(buffers.in_use() == 0);
    return *done;
  }
  std::string get(const std::string& url, ByteRange range) {
    CHECK(run(ask({{url, range}})).outcome == HttpOutcome::kOk);
    CHECK(first_bytes == 1);
    return bytes;
  }
  net::HttpReply plain(const std::string& url, net::HttpHeaders headers = {}) {
    std::optional<net::HttpReply> reply;
    net::HttpClientRequest request;
    request.url = url;
    request.headers = std::move(headers);
    client.fetch(request, [&](Result<net::HttpReply> r) {
      REQUIRE(r);
      reply = std::move(*r);
    });
    REQUIRE(loop.run_until([&] { return reply.has_value(); }, kPatience));
    return *reply;
  }
};

std::string cut(ByteRange range) {
  return kContent.substr(static_cast<std::size_t>(range.begin.count()),
                         static_cast<std::size_t>(range.size().count()));
}

TEST_CASE("a range comes from the origin as whole blocks in order") {
  const TempDir dir;
  dir.write("a/track 1.opus", kContent);
  Bench b;
  const auto origin = Origin::serve(b.loop, dir.path, kAnyPort);
  REQUIRE(origin);
  const ByteRange range{100'000_B, 200'001_B};
  CHECK(b.get((*origin)->url() + "/a/track%201.opus", range) == cut(range));
  CHECK(b.blocks == std::vector<int>{0, 1, 2, 3, 4, 5, 6});
  CHECK((*origin)->counters().requests == 1);
  CHECK((*origin)->counters().by_status.at(206) == 1);
  CHECK((*origin)->counters().body_sent == range.size());
}

TEST_CASE("blocks run across the parts of a request") {
  Bench b;
  FaultOrigin one(b.loop, kContent);
  FaultOrigin two(b.loop, kContent);
  const ByteRange head{0_B, 20'000_B};
  const ByteRange tail{50'000_B, 70'000_B};
  const HttpDone done = b.run(b.ask({{one.url(), head}, {two.url(), tail}}));
  CHECK(done.outcome == HttpOutcome::kOk);
  CHECK(done.received == 40'000_B);
  CHECK(b.bytes == cut(head) + cut(tail));
  CHECK(b.blocks.size() == 3);
  CHECK(b.first_bytes == 1);
}

TEST_CASE("a server that ignores ranges is skipped to them, near the start only") {
  Bench b;
  FaultOrigin origin(b.loop, kContent);
  for (const Fault::Kind kind : {Fault::Kind::kIgnoreRange, Fault::Kind::kTooLong}) {
    Fault fault;
    fault.kind = kind;
    origin.inject(fault);
    const ByteRange near{50'000_B, 100'000_B};
    CHECK(b.get(origin.url(), near) == cut(near));
    CHECK(b.run(b.ask({{origin.url(), {2_MiB, 2_MiB + 16_KiB}}})).outcome ==
          HttpOutcome::kRangeIgnored);
  }
}

TEST_CASE("each misbehaviour has its outcome and delivers no block") {
  Bench b;
  FaultOrigin origin(b.loop, kContent);
  const auto outcome = [&](Fault fault) {
    origin.inject(std::move(fault));
    HttpGet get = b.ask({{origin.url() + "/t", {0_B, 100'000_B}}});
    get.stall_timeout = 50ms;
    return b.run(std::move(get)).outcome;
  };
  const auto status = [](int code) {
    Fault fault;
    fault.kind = Fault::Kind::kStatus;
    fault.status = code;
    return fault;
  };
  const auto kind = [](Fault::Kind k) {
    Fault fault;
    fault.kind = k;
    return fault;
  };
  CHECK(outcome(kind(Fault::Kind::kWrongRange)) == HttpOutcome::kBadRange);
  CHECK(outcome(kind(Fault::Kind::kWrongLength)) == HttpOutcome::kBadRange);
  CHECK(outcome(kind(Fault::Kind::kGzip)) == HttpOutcome::kEncoded);
  CHECK(outcome(kind(Fault::Kind::kRedirectLoop)) == HttpOutcome::kTooManyRedirects);
  CHECK(outcome(kind(Fault::Kind::kStall)) == HttpOutcome::kTimeout);
  CHECK(outcome(kind(Fault::Kind::kClose)) == HttpOutcome::kTruncated);
  CHECK(outcome(status(416)) == HttpOutcome::kBadRange);
  CHECK(outcome(status(404)) == HttpOutcome::kRefused);
  CHECK(outcome(status(500)) == HttpOutcome::kServerError);
  CHECK(b.blocks.empty());
  CHECK(b.run(b.ask({{"http://127.0.0.1:1/", {0_B, 1_B}}})).outcome == HttpOutcome::kConnectFailed);
}

TEST_CASE("retry-after comes along, in seconds or against the server's own date") {
  Bench b;
  FaultOrigin origin(b.loop, kContent);
  Fault fault;
  fault.kind = Fault::Kind::kStatus;
  fault.headers = "Retry-After: 7\r\n";
  origin.inject(fault);
  const HttpGet get = b.ask({{origin.url(), {0_B, 1_B}}});
  HttpDone done = b.run(get);
  CHECK(done.status == 503);
  CHECK(done.retry_after == Duration(7s));
  fault.headers =
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
  origin.inject(fault);
  CHECK(b.run(get).retry_after == Duration(60s));
}

TEST_CASE("the blocks before a break are delivered, the rest is not") {
  Bench b;
  FaultOrigin origin(b.loop, kContent);
  Fault fault;
  fault.kind = Fault::Kind::kClose;
  fault.after = 40'000_B;
  origin.inject(fault);
  const HttpDone done = b.run(b.ask({{origin.url(), {0_B, 100'000_B}}}));
  CHECK(done.outcome == HttpOutcome::kTruncated);
  CHECK(done.received == 40'000_B);
  CHECK(b.bytes == kContent.substr(0, 32'768));
}

TEST_CASE("a cancelled request ends as cancelled, also from within its own block") {
  Bench b;
  FaultOrigin origin(b.loop, kContent);
  b.on_block = [&] { b.fetcher.perform(HttpCancel{HttpId(b.last_id)}); };
  CHECK(b.run(b.ask({{origin.url(), {0_B, 1_MiB}}})).outcome == HttpOutcome::kCancelled);
  CHECK(b.blocks.size() < 64);
}

TEST_CASE("without free buffers a request ends, and no edge is blamed") {
  net::Loop loop;
  net::HttpClient client(loop);
  net::BufferPool buffers({.max_buffers = 2, .max_idle = 0});
  FaultOrigin origin(loop, kContent);
  std::vector<core::BufferId> held;
  std::optional<HttpDone> done;
  Fetcher fetcher(loop, client, buffers, [&](const HttpInput& input) {
    if (const auto* block = std::get_if<HttpBlock>(&input)) held.push_back(block->buffer);
    if (const auto* end = std::get_if<HttpDone>(&input)) done = *end;
  });
  HttpGet get;
  get.id = HttpId(1);
  get.parts = {{origin.url(), {0_B, 48_KiB}}};
  for (int i = 0; i < 3; ++i) get.cuts.push_back({BlockIndex(i), 16_KiB});
  fetcher.perform(get);
  REQUIRE(loop.run_until([&] { return done.has_value(); }, kPatience));
  CHECK(done->outcome == HttpOutcome::kCancelled);
  CHECK(held.size() == 2);
}

TEST_CASE("the origin answers conditions, methods and missing files") {
  const TempDir dir;
  dir.write("t.mp4", kContent);
  Bench b;
  const auto origin = Origin::serve(b.loop, dir.path, kAnyPort);
  REQUIRE(origin);
  const std::string url = (*origin)->url() + "/t.mp4";
  const net::HttpReply whole = b.plain(url);
  CHECK(whole.head.status == 200);
  CHECK(whole.body == kContent);
  CHECK(net::header_value(whole.head.headers, "content-type") == "video/mp4");
  const std::string etag = *net::header_value(whole.head.headers, "etag");
  CHECK(b.plain(url, {{"If-None-Match", etag}}).head.status == 304);
  CHECK(b.plain(url, {{"Range", "bytes=9999999-"}}).head.status == 416);
  CHECK(b.plain(url, {{"Range", "bytes=0-9"}, {"If-Range", etag}}).body == kContent.substr(0, 10));
  CHECK(b.plain((*origin)->url() + "/none").head.status == 404);
  CHECK(b.plain((*origin)->url() + "/").head.status == 404);
}

TEST_CASE("nothing outside the directory is served") {
  const TempDir outside;
  outside.write("secret", "secret");
  const TempDir dir;
  dir.write("sub/inside", "inside");
  std::filesystem::create_symlink(outside.path / "secret", dir.path / "absolute");
  std::filesystem::create_symlink("../" + outside.path.filename().string(), dir.path / "relative");
  std::filesystem::create_symlink("sub/inside", dir.path / "harmless");
  Bench b;
  const auto origin = Origin::serve(b.loop, dir.path, kAnyPort);
  REQUIRE(origin);
  const std::string up = "/%2e%2e/" + outside.path.filename().string() + "/secret";
  for (const std::string& path :
       {up, "/sub/%2e%2e" + up, std::string("/absolute"), std::string("/relative/secret"),
        std::string("/sub%2f..%2f..%2f") + outside.path.filename().string() + "/secret",
        std::string("//etc/passwd"), std::string("/sub/inside%00"), std::string("/%zz"),
        std::string("/sub"), std::string("/sub/")}) {
    CAPTURE(path);
    CHECK(b.plain((*origin)->url() + path).head.status == 404);
  }
  CHECK(b.plain((*origin)->url() + "/harmless").body == "inside");
}

TEST_CASE("a limited origin sends everything, not faster than its rate") {
  const TempDir dir;
  dir.write("t", kContent);
  Bench b;
  const auto origin = Origin::serve(b.loop, dir.path, kAnyPort,
                                    {.total_rate = 8_Mbps, .response_rate = {}, .server = {}});
  REQUIRE(origin);
  const TimePoint start = b.loop.now();
  CHECK(b.get((*origin)->url() + "/t", {0_B, 200'000_B}) == kContent.substr(0, 200'000));
  // 200 kB at 1 MB/s, less what the bucket holds.
  CHECK(b.loop.now() - start >= 150ms);
  CHECK((*origin)->counters().body_sent == 200'000_B);
}

TEST_CASE("a directory that is not there is named") {
  net::Loop loop;
  const auto origin = Origin::serve(loop, "/nonexistent/dir", kAnyPort);
  REQUIRE(!origin);
  CHECK(origin.error().message ==
        "cannot serve /nonexistent/dir: No such file or directory; name a directory that can be "
        "read");
}

// nginx in the foreground under a folder of its own. It inherits a socket that listens already
// (as in its upgrade on the fly), so that no port is guessed and nobody waits for it to start.
class Nginx {
 public:
  explicit Nginx(const TempDir& dir) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_storage address = net::to_sockaddr(kAnyPort);
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
    REQUIRE(listen(listener, 8) == 0);
    socklen_t length = sizeof address;
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = net::from_sockaddr(reinterpret_cast<sockaddr&>(address)).port;
    const std::string p = dir.path.string();
    dir.write("nginx.conf",
              "daemon off; pid " + p + "/pid; error_log " + p +
                  "/error.log;\nevents {}\nhttp { access_log off; client_body_temp_path " + p +
                  "/b; proxy_temp_path " + p + "/p; fastcgi_temp_path " + p +
                  "/f; uwsgi_temp_path " + p + "/u; scgi_temp_path " + p +
                  "/s; server { listen 127.0.0.1:" + std::to_string(port_) + "; root " + p +
                  "/www; } }\n");
    const std::string conf = p + "/nginx.conf";
    const std::string log = p + "/error.log";
    const char* argv[] = {kPath, "-e", log.c_str(), "-p", p.c_str(), "-c", conf.c_str(), nullptr};
    std::string inherited = "NGINX=" + std::to_string(listener) + ";";
    char* env[] = {inherited.data(), nullptr};
    REQUIRE(posix_spawn(&pid_, kPath, nullptr, nullptr, const_cast<char**>(argv), env) == 0);
    close(listener);
  }
  ~Nginx() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  static bool installed() { return access(kPath, X_OK) == 0; }

 private:
  static constexpr const char* kPath = "/usr/sbin/nginx";
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

TEST_CASE("ranges come from nginx as from the origin") {
  if (!Nginx::installed()) {
    MESSAGE("skipped: nginx is not installed");
    return;
  }
  const TempDir dir;
  dir.write("www/t", kContent);
  std::filesystem::permissions(
      dir.path, std::filesystem::perms::others_read | std::filesystem::perms::others_exec,
      std::filesystem::perm_options::add);
  Bench b;
  const Nginx nginx(dir);
  const ByteRange range{1_MiB, 2_MiB};
  REQUIRE(b.run(b.ask({{nginx.url() + "/t", range}})).outcome == HttpOutcome::kOk);
  CHECK(b.bytes == cut(range));
  CHECK(b.run(b.ask({{nginx.url() + "/t", {4_MiB, 5_MiB}}})).outcome == HttpOutcome::kBadRange);
  CHECK(b.run(b.ask({{nginx.url() + "/none", range}})).outcome == HttpOutcome::kRefused);
}

}  // namespace
}  // namespace tributary::cdn
