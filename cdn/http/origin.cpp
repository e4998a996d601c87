#include "cdn/http/origin.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "cdn/http/file_response.h"
#include "engine/net/timer.h"
#include "engine/wire/url.h"

namespace tributary::cdn {
namespace {

constexpr std::size_t kMaxPath = 4096;

// A shaped body may run ahead by this much time, so that short pauses of the loop do not lower the
// rate; and never less than a packet or two.
constexpr Duration kBurst = 20ms;
constexpr Bytes kLeastBurst = 4_KiB;
constexpr Duration kStep = 5ms;

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// On kernels before 5.6: every component by itself, without following any link.
int open_stepwise(int root, std::string_view path) {
  File at(dup(root));
  while (at.get() >= 0) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    if (name == ".." || name.empty()) return errno = ENOENT, -1;
    const bool last = slash == std::string_view::npos;
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    File next(openat(at.get(), name.c_str(), flags));
    if (last) return next.release();
    at = std::move(next);
    path.remove_prefix(slash + 1);
  }
  return -1;
}

// A path below `root`, wherever links and ".." point: -1 with errno when it leads out.
int open_beneath(int root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO must not hold the loop up
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return open_stepwise(root, path);
  return static_cast<int>(fd);
}

// "/a%20b/c" -> "a b/c"; nothing for what no file is called.
std::optional<std::string> file_path(std::string_view url_path) {
  if (url_path.size() > kMaxPath) return std::nullopt;
  const auto decoded = wire::percent_decode(url_path);
  if (!decoded || decoded->find('\0') != std::string::npos) return std::nullopt;
  const std::size_t begin = decoded->find_first_not_of('/');
  if (begin == std::string::npos) return std::nullopt;
  return decoded->substr(begin);
}

std::string etag_of(const struct stat& st) {
  const auto hex = [](std::uint64_t n) {
    char text[20];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(n));
    return std::string(text);
  };
  return '"' + hex(static_cast<std::uint64_t>(st.st_mtim.tv_sec)) + '.' +
         hex(static_cast<std::uint64_t>(st.st_mtim.tv_nsec)) + '-' +
         hex(static_cast<std::uint64_t>(st.st_size)) + '-' +
         hex(static_cast<std::uint64_t>(st.st_ino)) + '"';
}

// A bucket that fills at `rate` and holds kBurst of it.
class Bucket {
 public:
  Bucket(BitRate rate, TimePoint now) : rate_(rate), filled_at_(now) {}
  bool limited() const { return rate_ > BitRate(); }
  Bytes available(TimePoint now) {
    if (!limited()) return Bytes(INT64_MAX);
    const Bytes most = std::max(bytes_in(kBurst, rate_), kLeastBurst);
    const Bytes earned = bytes_in(std::min<Duration>(now - filled_at_, 1s), rate_);
    if (earned > 0_B) {
      level_ = std::min(level_ + earned, most);
      filled_at_ = now;
    }
    return level_;
  }
  void take(Bytes size) {
    if (limited()) level_ -= size;
  }

 private:
  BitRate rate_;
  TimePoint filled_at_;
  Bytes level_;
};

}  // namespace

struct Origin::State {
  State(net::Loop& l, int fd, OriginOptions o)
      : loop(l), root(fd), options(o), total(options.total_rate, l.now()), step(l) {}

  net::Loop& loop;
  File root;
  OriginOptions options;
  Bucket total;
  OriginCounters counters;
  AccessLog log;
  std::set<net::HttpExchangeId> starved;  // streams that wait for the bucket
  net::Timer step;
  std::unique_ptr<net::HttpServer> server;

  net::HttpResponse answer(const net::HttpServerRequest& request);
  net::HttpResponse serve_file(const net::HttpServerRequest& request);
  net::HttpResponse send_body(const net::HttpServerRequest& request, File file, FilePlan plan);
  net::BodyStream shaped(net::HttpExchangeId id, File file, ByteRange range);
  void wait(net::HttpExchangeId id);
};

net::HttpResponse Origin::State::answer(const net::HttpServerRequest& request) {
  net::HttpResponse response;
  if (request.method == "GET" || request.method == "HEAD") {
    response = serve_file(request);
  } else {
    response.status = 405;
    response.headers = {{"Allow", "GET, HEAD"}};
  }
  ++counters.requests;
  ++counters.by_status[response.status];
  Bytes length;
  if (const auto* region = std::get_if<net::FileRegion>(&response.body)) {
    length = region->length;
    if (request.method == "GET") counters.body_sent += length;
  } else if (const auto* stream = std::get_if<net::BodyStream>(&response.body)) {
    length = stream->length.value_or(0_B);
  }
  if (log) log({request, response.status, length});
  return response;
}

net::HttpResponse Origin::State::serve_file(const net::HttpServerRequest& request) {
  const auto not_found = [] {
    return net::HttpResponse{404, {{"Content-Type", "text/plain"}}, std::string("not found\n")};
  };
  const auto path = file_path(request.path);
  if (!path) return not_found();
  File file(open_beneath(root.get(), *path));
  struct stat st {};
  if (file.get() < 0 || fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) return not_found();
  const FileFacts facts{Bytes(st.st_size), WallTime{std::max<std::int64_t>(st.st_mtim.tv_sec, 0)},
                        etag_of(st)};
  FilePlan plan = plan_file_response(request.method, request.headers, facts);
  plan.headers.emplace_back("Content-Type", content_type_of(*path));
  return send_body(request, std::move(file), std::move(plan));
}

net::HttpResponse Origin::State::send_body(const net::HttpServerRequest& request, File file,
                                           FilePlan plan) {
  net::HttpResponse response;
  response.status = plan.status;
  response.headers = std::move(plan.headers);
  if (plan.body.empty()) return response;
  const bool limited = total.limited() || options.response_rate > BitRate();
  if (limited && request.method == "GET") {
    response.body = shaped(request.id, std::move(file), plan.body);
  } else {
    response.body = net::FileRegion{file.release(), plan.body.begin, plan.body.size()};
  }
  return response;
}

net::BodyStream Origin::State::shaped(net::HttpExchangeId id, File file, ByteRange range) {
  struct Progress {
    File file;
    ByteRange rest;
    Bucket own;
  };
  auto progress = std::make_shared<Progress>(
      Progress{std::move(file), range, Bucket(options.response_rate, loop.now())});
  net::BodyStream stream;
  stream.length = range.size();
  stream.read = [this, id, progress](std::span<std::uint8_t> out) -> std::int64_t {
    const TimePoint now = loop.now();
    const Bytes room(static_cast<std::int64_t>(out.size()));
    const Bytes most =
        std::min({room, progress->rest.size(), total.available(now), progress->own.available(now)});
    if (progress->rest.empty()) return net::BodyStream::kEnd;
    if (most <= 0_B) {
      wait(id);
      return net::BodyStream::kWait;
    }
    const ssize_t got = pread(progress->file.get(), out.data(),
                              static_cast<std::size_t>(most.count()), progress->rest.begin.count());
    if (got <= 0) return net::BodyStream::kAbort;  // the file shrank
    progress->rest.begin += Bytes(got);
    total.take(Bytes(got));
    progress->own.take(Bytes(got));
    counters.body_sent += Bytes(got);
    return got;
  };
  return stream;
}

void Origin::State::wait(net::HttpExchangeId id) {
  starved.insert(id);
  if (step.active()) return;
  step.start(loop.now() + kStep, [this] {
    for (const net::HttpExchangeId each : std::exchange(starved, {})) server->resume(each);
  });
}

Origin::Origin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Origin::~Origin() = default;

Result<std::unique_ptr<Origin>> Origin::serve(net::Loop& loop, const std::string& directory,
                                              const Endpoint& address, OriginOptions options) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return io_error("cannot serve " + directory + ": " + std::strerror(errno) +
                    "; name a directory that can be read");
  }
  auto state = std::make_unique<State>(loop, fd, options);
  State* raw = state.get();
  auto server = net::HttpServer::listen(
      loop, address, [raw](const net::HttpServerRequest& request) { return raw->answer(request); },
      raw->options.server);
  if (!server) return server.error();
  state->server = std::move(*server);
  return std::unique_ptr<Origin>(new Origin(std::move(state)));
}

Endpoint Origin::address() const { return state_->server->address(); }
std::string Origin::url() const { return state_->server->url(); }
const OriginCounters& Origin::counters() const { return state_->counters; }
void Origin::set_access_log(AccessLog log) { state_->log = std::move(log); }

}  // namespace tributary::cdn
