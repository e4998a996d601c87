// What one input costs a swarm that plays, with a CDN and with peers of which a quarter are
// listeners themselves: nanoseconds by kind of input, peers and blocks. It should grow at most with
// log(blocks) and linearly with peers. Run: planner_bench [PEERS...]
#include <time.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <queue>
#include <vector>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr TorrentId kId{1};
constexpr FileIndex kFile{0};
constexpr int kBlocksPerSecond = 24;      // 3.1 Mbit/s video
constexpr Duration kPeerService = 400ms;  // a peer's time for a block: ten of them keep pace
constexpr Duration kCdnTime = 150ms;
constexpr int kEvents = 20'000;

constexpr Duration kRejectTime = 30ms;  // until a peer answers a cancel

// Those before kSetUp are measured.
enum Kind { kPiece, kVerdict, kHave, kCdn, kReject, kTick, kReplan, kSetUp };
constexpr std::array<const char*, kSetUp> kNames = {"piece",  "verdict", "have",  "cdn",
                                                    "reject", "tick",    "replan"};

// Processor time, so that other programs on the machine do not count.
std::int64_t cpu_ns() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1'000'000'000 + spent.tv_nsec;
}

// Peers answer their requests in order, each block in its time; the CDN answers whole requests.
class Bench {
 public:
  Bench(int peers, int blocks)
      : meta_(playable(blocks)),
        swarm_(meta_, params(peers), Bitfield(), bans_, now_),
        blocks_(blocks) {
    take(CdnHealth{kId, true, 200ms, 8_Mbps}, kSetUp);
    for (int n = 0; n < peers; ++n) connect(n);
    take(SetDemand{.torrent = kId, .file = kFile, .at = now_, .moving = true}, kSetUp);
    later(1s, {.kind = kReplan});
    for (int n = 0; n < peers; n += 4) later(kPeerService, {.kind = kHave, .conn = conn_of(n)});
  }

  void run() {
    for (int i = 0; i < kEvents && !swarm_.have_blocks().all() && !due_.empty(); ++i) {
      if (swarm_.next_deadline() < due_.top().at) {
        now_ = std::max(now_, swarm_.next_deadline());
        timed(kTick, [this] { swarm_.tick(now_); });
        continue;
      }
      const Event event = due_.top();
      due_.pop();
      now_ = event.at;
      happen(event);
    }
  }

  // Mean nanoseconds of the inputs of one kind; zero when there were none.
  std::int64_t cost(Kind kind) const {
    return spent_[kind] / std::max<std::int64_t>(counts_[kind], 1);
  }

 private:
  struct Event {
    Kind kind = kSetUp;
    ConnId conn{};
    BlockSpan span{};        // kReject
    CdnRequestId request{};  // kCdn
    TimePoint at{};
    std::uint64_t order = 0;
    bool operator<(const Event& other) const {
      return std::pair(at, order) > std::pair(other.at, other.order);
    }
  };
  struct Remote {
    std::deque<BlockSpan> asked;
    bool busy = false;
    int next_have = 0;
  };

  static Metainfo playable(int blocks) {
    Metainfo meta = make_track({.blocks = blocks});
    meta.hints.front().duration = 1s * blocks / kBlocksPerSecond;
    return meta;
  }
  static SwarmParams params(int peers) {
    SwarmParams params = swarm_params(kId, Policy::adaptive(), 1);
    params.book.hard_limit = std::max(params.book.hard_limit, peers);
    return params;
  }

  // Every fourth is a listener that has the front third, and the rest as time goes by.
  void connect(int n) {
    const ConnId conn = conn_of(n);
    const auto high = static_cast<std::uint8_t>(n / 200);
    const Endpoint remote = Endpoint::v4(10, 0, high, static_cast<std::uint8_t>(1 + n % 200), 1);
    const Handshake hello{InfoHash{}, peer_id_of(n + 2), true, true, true};
    take(PeerConnected{kId, conn, remote, true, hello}, kSetUp);
    if (n % 4 != 0) return connected(conn, HaveAll{});
    std::vector<std::uint8_t> bits((static_cast<std::size_t>(blocks_) + 7) / 8);
    std::fill_n(bits.begin(), bits.size() / 3, std::uint8_t{0xff});
    remotes_[conn].next_have = static_cast<int>(bits.size() / 3) * 8;
    connected(conn, BitfieldMessage{bits});
  }
  void connected(ConnId conn, const Message& has) {
    take(PeerMessage{kId, conn, has}, kSetUp);
    take(PeerMessage{kId, conn, Unchoke{}}, kSetUp);
  }

  void happen(const Event& event) {
    switch (event.kind) {
      case kHave:
        return says_have(event.conn);
      case kCdn:
        return cdn_answers(event.request);
      case kReject:
        return take(PeerMessage{kId, event.conn, RejectRequest{event.span}}, kReject);
      case kReplan:
        later(1s, {.kind = kReplan});
        return take(CdnHealth{kId, true, 200ms, 8_Mbps}, kReplan);
      default:
        return peer_answers(event.conn);
    }
  }
  void says_have(ConnId conn) {
    Remote& remote = remotes_[conn];
    if (remote.next_have >= blocks_) return;
    take(PeerMessage{kId, conn, Have{PieceIndex(remote.next_have++)}}, kHave);
    later(kPeerService, {.kind = kHave, .conn = conn});
  }
  void peer_answers(ConnId conn) {
    Remote& remote = remotes_[conn];
    remote.busy = false;
    if (remote.asked.empty()) return;  // all were cancelled
    const BlockSpan span = remote.asked.front();
    remote.asked.pop_front();
    work(conn, remote);
    take(PeerMessage{kId, conn, Piece{span, BufferId(++buffers_)}}, kPiece);
  }
  void work(ConnId conn, Remote& remote) {
    if (remote.asked.empty() || std::exchange(remote.busy, true)) return;
    later(kPeerService, {.kind = kPiece, .conn = conn});
  }
  void cdn_answers(CdnRequestId request) {
    const auto fetch = fetches_.find(request);
    if (fetch == fetches_.end()) return;  // cancelled
    const BlockRange blocks = fetch->second;
    for (BlockIndex b = blocks.begin; b < blocks.end && fetches_.contains(request); ++b) {
      take(CdnBlock{kId, request, b, BufferId(++buffers_)}, kCdn);
    }
    if (fetches_.erase(request) > 0) take(CdnEnded{kId, request}, kCdn);
  }

  void later(Duration time, Event event) {
    event.at = now_ + time;
    event.order = ++order_;
    due_.push(event);
  }
  void take(const Input& input, Kind kind) {
    timed(kind, [&] { swarm_.handle(input, now_); });
  }
  template <class Do>
  void timed(Kind kind, const Do& what) {
    const std::int64_t from = cpu_ns();
    what();
    spent_[kind] += cpu_ns() - from;
    ++counts_[kind];
    drain();
  }
  void drain() {
    std::vector<Verify> verifies;
    while (const auto action = swarm_.poll()) {
      if (const auto* send = std::get_if<Send>(&*action)) {
        perform(*send);
      } else if (const auto* verify = std::get_if<Verify>(&*action)) {
        verifies.push_back(*verify);
      } else if (const auto* fetch = std::get_if<CdnFetch>(&*action)) {
        fetches_[fetch->request] = fetch->blocks;
        later(kCdnTime, {.kind = kCdn, .request = fetch->request});
      } else if (const auto* cancel = std::get_if<CdnCancel>(&*action)) {
        fetches_.erase(cancel->request);
      }
    }
    for (const Verify& v : verifies) take(Verified{v.torrent, v.blocks, true, {}, v.id}, kVerdict);
  }
  void perform(const Send& send) {
    Remote& remote = remotes_[send.conn];
    if (const auto* request = std::get_if<Request>(&send.message)) {
      remote.asked.push_back(request->span);
      work(send.conn, remote);
    } else if (const auto* cancel = std::get_if<Cancel>(&send.message)) {
      if (std::erase(remote.asked, cancel->span) == 0) return;
      later(kRejectTime, {.kind = kReject, .conn = send.conn, .span = cancel->span});
    }
  }

  const Metainfo meta_;
  BanList bans_;
  TimePoint now_{};
  Swarm swarm_;
  int blocks_;
  std::priority_queue<Event> due_;
  std::map<ConnId, Remote> remotes_;
  std::map<CdnRequestId, BlockRange> fetches_;
  std::array<std::int64_t, kSetUp + 1> spent_{};
  std::array<std::int64_t, kSetUp + 1> counts_{};
  std::uint64_t buffers_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace
}  // namespace tributary::core

int main(int argc, char** argv) {
  using namespace tributary::core;
  std::vector<int> peers;
  for (int i = 1; i < argc; ++i) peers.push_back(std::clamp(std::atoi(argv[i]), 1, 10'000));
  if (peers.empty()) peers = {10, 100, 1'000};
  std::printf("%8s %8s", "peers", "blocks");
  for (const char* name : kNames) std::printf(" %8s", name);
  std::printf("\n");
  for (const int count : peers) {
    for (const int blocks : {300, 3'000, 30'000}) {
      Bench bench(count, blocks);
      bench.run();
      std::printf("%8d %8d", count, blocks);
      for (int kind = 0; kind < kSetUp; ++kind) {
        std::printf(" %8lld", static_cast<long long>(bench.cost(static_cast<Kind>(kind))));
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
}
