// Starts to play and prints one line as soon as each is true; the reader of the lines takes the
// times, from before it started this process:
//   have    the file's first BYTES are verified and in hand
//   frame   the first frame was decoded and handed to the sink
// Plays in silence under the adaptive policy, without limits of its own.
//
//   startup_probe TORRENT BYTES LISTEN
//
// LISTEN is the HOST:PORT to listen at.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/net/address.h"
#include "player/client/client.h"

namespace {

using tributary::Bytes;
using tributary::player::CellState;
using tributary::player::Client;
using tributary::player::ClientOptions;
using tributary::player::ClientSnapshot;
using namespace std::chrono_literals;

// More cells than any track of the benchmark has blocks, so that each cell is one block.
constexpr std::size_t kCells = 100'000;
constexpr auto kLook = 100us;
constexpr auto kLimit = 30s;

std::int64_t bytes_in_front(const ClientSnapshot& snapshot) {
  const auto& cells = snapshot.pieces;
  const auto first_gap = std::find_if(cells.begin(), cells.end(),
                                      [](CellState cell) { return cell != CellState::kHave; });
  return (first_gap - cells.begin()) * std::int64_t{16'384};
}

void say(const char* what) {
  std::printf("%s\n", what);
  std::fflush(stdout);
}

// Whether both came within the limit.
bool watch(Client& client, std::int64_t wanted) {
  bool have = false;
  bool frame = false;
  const auto end = std::chrono::steady_clock::now() + kLimit;
  // Playing that ends before both has failed; one look more tells.
  for (bool ended = false; !(have && frame) && !ended && std::chrono::steady_clock::now() < end;) {
    ended = client.wait_until_ended(kLook);
    const ClientSnapshot snapshot = client.snapshot(kCells);
    if (!frame && snapshot.startup > tributary::Duration::zero()) {
      frame = true;
      say("frame");
    }
    if (!have && bytes_in_front(snapshot) >= wanted) {
      have = true;
      say("have");
    }
  }
  return have && frame;
}

int run(const std::string& torrent, std::int64_t wanted, std::string_view listen) {
  ClientOptions options;
  const auto at = tributary::net::parse_endpoint(listen);
  if (!at) return std::fprintf(stderr, "%s\n", at.error().message.c_str()), 1;
  options.host.listen = *at;
  auto client = Client::create(options);
  if (!client) return std::fprintf(stderr, "%s\n", client.error().message.c_str()), 1;
  auto items = (*client)->load({torrent});
  if (!items) return std::fprintf(stderr, "%s\n", items.error().message.c_str()), 1;
  (*client)->start();
  const bool done = watch(**client, wanted);
  const ClientSnapshot last = (*client)->snapshot(0);
  (*client)->finish();
  std::printf("peers=%lld cdn=%lld startup_ms=%.1f\n",
              static_cast<long long>(last.bytes.peers.count()),
              static_cast<long long>(last.bytes.cdn().count()),
              static_cast<double>(last.startup.count()) / 1e3);
  return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4) return run(argv[1], std::atoll(argv[2]), argv[3]);
  std::fprintf(stderr, "usage: startup_probe TORRENT BYTES LISTEN\n");
  return 2;
}
