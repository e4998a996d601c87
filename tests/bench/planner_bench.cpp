// What one block's arrival costs a running swarm, by peers and blocks: nanoseconds for the arrival,
// its verdict and the requests that follow. It should grow at most with log(blocks) and linearly
// with peers. Run: planner_bench
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <vector>

#include "tests/engine/core/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr TorrentId kId{1};

class Bench {
 public:
  Bench(int peers, int blocks)
      : meta_(make_track({.blocks = blocks})),
        swarm_(meta_, swarm_params(kId, Policy::peers_only(), 1), Bitfield(), bans_, now_) {
    for (int n = 0; n < peers; ++n) connect(n);
    feed(SetBackground{kId, true});
  }

  // Mean cost of an arrival in nanoseconds.
  std::int64_t run(int arrivals) {
    int done = 0;
    const auto from = std::chrono::steady_clock::now();
    for (; done < arrivals && !requests_.empty(); ++done) {
      const auto [conn, span] = requests_.front();
      requests_.pop_front();
      now_ += 1ms;
      feed(PeerMessage{kId, conn, Piece{span, BufferId(++buffers_)}});
      const BlockIndex block = swarm_.layout().block_at(span.piece, span.begin);
      feed(Verified{kId, {block, block + 1}, true, {}});
    }
    const auto spent = std::chrono::steady_clock::now() - from;
    return std::chrono::nanoseconds(spent).count() / std::max(done, 1);
  }

 private:
  void connect(int n) {
    const ConnId conn = conn_of(n);
    const auto high = static_cast<std::uint8_t>(n / 200);
    const Endpoint remote = Endpoint::v4(10, 0, high, static_cast<std::uint8_t>(1 + n % 200), 1);
    feed(PeerConnected{kId, conn, remote, true, {InfoHash{}, peer_id_of(n + 2), true, true, true}});
    feed(PeerMessage{kId, conn, HaveAll{}});
    feed(PeerMessage{kId, conn, Unchoke{}});
  }
  void feed(const Input& input) {
    swarm_.handle(input, now_);
    while (const auto action = swarm_.poll()) {
      const auto* send = std::get_if<Send>(&*action);
      if (!send) continue;
      const auto* request = std::get_if<Request>(&send->message);
      if (request) requests_.emplace_back(send->conn, request->span);
    }
  }

  const Metainfo meta_;
  BanList bans_;
  TimePoint now_{};
  Swarm swarm_;
  std::deque<std::pair<ConnId, BlockSpan>> requests_;
  std::uint64_t buffers_ = 0;
};

}  // namespace
}  // namespace tributary::core

int main() {
  std::printf("%8s %8s %12s\n", "peers", "blocks", "ns/arrival");
  for (const int peers : {10, 30, 60}) {  // 60: the limit of connections in one swarm
    for (const int blocks : {300, 3'000, 30'000}) {
      tributary::core::Bench bench(peers, blocks);
      const auto cost = bench.run(std::min(blocks, 3'000) * 2 / 3);
      std::printf("%8d %8d %12lld\n", peers, blocks, static_cast<long long>(cost));
    }
  }
}
