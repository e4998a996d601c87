// What an embedder's process pays, through the C API; prints one line of JSON.
// Usage: embed_bench PEER idle SECONDS TORRENT...   processor time while the tracks are open, read,
// and
//                                                   nobody wants anything
//        embed_bench PEER read FILE TORRENT         time and allocations of a read of verified
//        bytes,
//                                                   and of pread() of FILE, which holds the same
// All is fetched from PEER (ADDRESS:PORT) first, or from nobody where that is "-" and there are no
// torrents.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <tributary/tributary.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

// Each allocation of the process, the library's and its libraries' included.
namespace {
std::atomic<std::int64_t> allocations = 0;
}
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* malloc(std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}
}

namespace {

constexpr std::array<std::size_t, 3> kSizes = {4 << 10, 32 << 10, 256 << 10};
constexpr int kPasses = 5;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "embed_bench: %s: %s\n", what, tributary_error_message());
  std::exit(1);
}

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

tributary_client* open_client(const char* peer) {
  tributary_options options{};
  options.size = sizeof options;
  if (std::strcmp(peer, "-") != 0) {
    options.peers = &peer;
    options.peer_count = 1;
  }
  tributary_client* client = nullptr;
  if (tributary_client_open(&options, &client) < 0) fail("open");
  return client;
}

void load(tributary_client* client, char** torrents, int count) {
  if (count == 0) return;
  tributary_event event{};
  event.size = sizeof event;
  if (tributary_client_load(client, torrents, static_cast<std::size_t>(count)) < 0) fail("load");
  while (event.type != TRIBUTARY_EVENT_LOADED) {
    if (tributary_client_wait_event(client, -1, &event) < 0) fail("load");
  }
  if (event.result < 0) fail(event.text);
}

// Of the bytes in order, by pieces of this size; how many reads that were.
using ReadAt = std::function<std::int64_t(std::int64_t offset, void* buffer, std::size_t size)>;
std::int64_t read_all(const ReadAt& read, std::int64_t length, std::size_t piece) {
  std::vector<char> buffer(piece);
  std::int64_t reads = 0;
  for (std::int64_t at = 0; at < length; ++reads) {
    const std::int64_t got = read(at, buffer.data(), piece);
    if (got <= 0) fail("read");
    at += got;
  }
  return reads;
}

tributary_reader* read_whole(tributary_client* client, std::size_t track) {
  tributary_reader* reader = nullptr;
  if (tributary_reader_open(client, track, &reader) < 0) fail("reader");
  read_all([reader](auto at, auto* into,
                    auto size) { return tributary_reader_read(reader, at, into, size); },
           tributary_reader_length(reader), kSizes.back());
  return reader;
}

void idle(tributary_client* client, int tracks, int length_s) {
  for (int track = 0; track < tracks; ++track) read_whole(client, static_cast<std::size_t>(track));
  std::this_thread::sleep_for(std::chrono::seconds(2));  // what reading left to do
  const double before = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::this_thread::sleep_for(std::chrono::seconds(length_s));
  std::printf("{\"cpu_ms_per_s\": %.3f}\n",
              (seconds(CLOCK_PROCESS_CPUTIME_ID) - before) * 1e3 / length_s);
}

// "NAME": {"ns": …, "cpu_ns": …, "allocations": …} of one read; both clocks, for the library's
// threads work beside the reader's.
void measure(const char* name, const ReadAt& read, std::int64_t length, std::size_t piece) {
  const double wall = seconds(CLOCK_MONOTONIC);
  const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const std::int64_t before = allocations;
  std::int64_t reads = 0;
  for (int pass = 0; pass < kPasses; ++pass) reads += read_all(read, length, piece);
  const auto count = static_cast<double>(reads);
  std::printf("\"%s\": {\"reads\": %lld, \"ns\": %.0f, \"cpu_ns\": %.0f, \"allocations\": %.3f}",
              name, static_cast<long long>(reads), (seconds(CLOCK_MONOTONIC) - wall) * 1e9 / count,
              (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / count,
              static_cast<double>(allocations - before) / count);
}

void read(tributary_client* client, const char* file) {
  tributary_reader* reader = read_whole(client, 0);
  const std::int64_t length = tributary_reader_length(reader);
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(file);
  const char* before = "{";
  for (const std::size_t piece : kSizes) {
    std::printf("%s\"%zu\": {", before, piece);
    measure(
        "reader",
        [reader](auto at, auto* into, auto size) {
          return tributary_reader_read(reader, at, into, size);
        },
        length, piece);
    std::printf(", ");
    measure(
        "pread", [fd](auto at, auto* into, auto size) { return pread(fd, into, size, at); }, length,
        piece);
    std::printf("}");
    before = ", ";
  }
  std::printf("}\n");
  close(fd);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return 2;
  tributary_client* client = open_client(arguments[1]);
  load(client, arguments + 4, count - 4);
  if (std::strcmp(arguments[2], "idle") == 0) {
    idle(client, count - 4, std::atoi(arguments[3]));
  } else {
    read(client, arguments[3]);
  }
  tributary_client_close(client);
}
