// kill -9 at every write: the child is this test binary, whose pwrite dies half-way through the
// n-th call, be it the store's or SQLite's.
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>

#include "tests/engine/net/store_fixture.h"

using namespace tributary;
using namespace tributary::net;
using namespace tributary::net::test;

namespace {

std::atomic<long> g_writes_left{-1};  // -1: never dies

ssize_t dying_pwrite(int fd, const void* data, size_t size, off_t offset) {
  if (g_writes_left > 0 && --g_writes_left == 0) {
    ::syscall(SYS_pwrite64, fd, data, size / 2, offset);
    ::raise(SIGKILL);
  }
  return ::syscall(SYS_pwrite64, fd, data, size, offset);
}

Made torrent_of(Kind kind) { return make_torrent(kind, 32_KiB, {{"one", noise(300'000_B, 9)}}); }

// Returns whether the child lived to the end.
bool run_child(const std::string& cache, Kind kind, long writes) {
  const std::string count = std::to_string(writes);
  const std::string which = kind == Kind::kV1 ? "1" : "2";
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TRIBUTARY_KILL_CACHE", cache.c_str(), 1);
    ::setenv("TRIBUTARY_KILL_AT", count.c_str(), 1);
    ::setenv("TRIBUTARY_KILL_KIND", which.c_str(), 1);
    ::execl("/proc/self/exe", "test_net", "--no-skip", "--test-case=the child that is killed",
            "--minimal", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) CHECK(WEXITSTATUS(status) == 0);
  if (WIFSIGNALED(status)) CHECK(WTERMSIG(status) == SIGKILL);
  return WIFEXITED(status);
}

}  // namespace

extern "C" {
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return dying_pwrite(fd, data, size, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset) {
  return dying_pwrite(fd, data, size, offset);
}
}

TEST_CASE("the child that is killed" * doctest::skip()) {
  const char* const cache = ::getenv("TRIBUTARY_KILL_CACHE");
  REQUIRE(cache);
  g_writes_left = std::atol(::getenv("TRIBUTARY_KILL_AT"));
  const Made made = torrent_of(*::getenv("TRIBUTARY_KILL_KIND") == '1' ? Kind::kV1 : Kind::kV2);
  Host host(cache);
  REQUIRE(host.start().ok());
  const Bitfield have = host.open(kA, made);
  for (int b = have.find_next_clear(0); b != Bitfield::kNone; b = have.find_next_clear(b + 1)) {
    host.put(kA, made, {BlockIndex(b), BlockIndex(b + 1)});
    if (b % 4 == 3) host.flush();
  }
  host.close();
}

TEST_CASE(
    "after kill -9 at any write the next start finds a consistent cache, all of it verified") {
  for (const Kind kind : {Kind::kV1, Kind::kV2}) {
    const Made made = torrent_of(kind);
    int killed = 0;
    int restored_at_most = 0;
    bool finished = false;
    for (long at = 1; !finished && at < 400; at += 5) {
      const ScratchDirectory scratch;
      finished = run_child(scratch.path, kind, at);
      killed += !finished;
      Host host(scratch.path);
      REQUIRE(host.start().ok());
      CHECK(host.log.empty());
      const Bitfield have = host.open(kA, made);
      restored_at_most = std::max(restored_at_most, have.count());
      for (int b = have.find_next(0); b != Bitfield::kNone; b = have.find_next(b + 1)) {
        const ByteRange range = made.layout->block_range(BlockIndex(b));
        const auto read = host.read(kA, range);
        CHECK((read.ok() && *read == made.range(range)));
      }
      CHECK(host.lost.empty());
      if (finished) CHECK(have.all());
    }
    CHECK(finished);
    CHECK(killed >= 5);
    CHECK(restored_at_most == made.layout->block_count());
  }
}
