// What a client needs, told to peers and believed within a budget.
#include "engine/core/need.h"

#include <doctest/doctest.h>

#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

TEST_CASE("property: however greedy, what counts as urgent stays within the budget's bound") {
  Random random(5);
  for (int round = 0; round < 100; ++round) {
    const BitRate media(static_cast<std::int64_t>(random.below(5'000'000)));
    NeedBudget budget;
    TimePoint now{};
    Bytes urgent;
    for (int step = 0; step < 2000; ++step) {
      now += Duration(static_cast<std::int64_t>(random.below(200'000)));
      if (!budget.left(media, now)) continue;
      budget.spend(kBlockSize, media, now);
      urgent += kBlockSize;
      const Bytes bound =
          NeedBudget::most(media) + bytes_in(now - TimePoint(), media / 4 * 5) + kBlockSize;
      CHECK(urgent <= bound);
    }
    CHECK(urgent >= NeedBudget::most(media));
  }
}

TEST_CASE("who is sent what he plays is believed for ever") {
  NeedBudget budget;
  TimePoint now{};
  for (int block = 0; block < 5000; ++block) {
    CHECK(budget.left(1_Mbps, now));
    budget.spend(kBlockSize, 1_Mbps, now);
    now += transfer_time(kBlockSize, 1_Mbps);
  }
}

TEST_CASE("a budget that is used up counts again when half of it is back") {
  NeedBudget budget;
  TimePoint now{};
  budget.spend(NeedBudget::kLeast, 128_kbps, now);
  CHECK_FALSE(budget.left(128_kbps, now));
  CHECK_FALSE(budget.left(128_kbps, now + 6500ms));  // 20,000 byte/s are back
  CHECK(budget.left(128_kbps, now + 6600ms));
}

ExtendedHandshake hello(bool need) {
  ExtendedHandshake m;
  m.need = need;
  return m;
}

TEST_CASE("a peer that serves by need is told ours when it changes, others are told nothing") {
  SwarmRig rig(Policy::peers_only());
  rig.connect(1);
  rig.connect(2);
  CHECK(rig.say(1, hello(true)).empty());  // it takes it that we store
  rig.say(2, hello(false));
  CHECK(with(rig.start(), "playing") == Lines{"c1: playing"});
  CHECK(with(rig.play(0s), "playing").empty());
  CHECK(with(rig.in(ClearDemand{SwarmRig::kTorrent, SwarmRig::kFile}), "storing") ==
        Lines{"c1: storing"});
  CHECK(with(rig.in(SetDemand{.torrent = SwarmRig::kTorrent,
                              .file = SwarmRig::kFile,
                              .at = rig.now() + 30s,
                              .prefetch = true}),
             "prefetching") == Lines{"c1: prefetching"});
  rig.connect(3);
  CHECK(with(rig.say(3, hello(true)), "c3") == Lines{"c3: prefetching"});
}

TEST_CASE("only who serves by need asks to hear it") {
  for (const Unchoker unchoker : kUnchokers) {
    Policy policy = Policy::peers_only();
    policy.unchoker = unchoker;
    SwarmRig rig(policy);
    rig.connect(1);
    const auto* send = std::get_if<Send>(&rig.actions().front());
    REQUIRE(send != nullptr);
    const auto* told = std::get_if<ExtendedHandshake>(&send->message);
    REQUIRE(told != nullptr);
    CHECK(told->need == (unchoker == Unchoker::kNeedFirst));
  }
}

TEST_CASE("a peer that changes its need all the time is dropped") {
  SwarmRig rig(Policy::peers_only());
  rig.connect(1);
  Lines lines;
  for (int i = 0; i < kMaxOffences + 2; ++i) {
    for (std::string& line :
         rig.say(1, NeedMessage{i % 2 == 0 ? Need::kPlaying : Need::kStoring})) {
      lines.push_back(std::move(line));
    }
  }
  CHECK(with(lines, "disconnect").size() == 1);
}

// A complete client that serves by need; six peers are interested.
struct NeedRig : SwarmRig {
  NeedRig() : SwarmRig(policy()) {
    in(Restored{kTorrent, Bitfield(swarm().layout().block_count(), true)});
    for (int n = 1; n <= 7; ++n) {
      connect(n);
      say(n, HaveNone{});
      say(n, Interested{});
    }
    pass(2s);
  }
  static Policy policy() {
    Policy p = Policy::peers_only();
    p.unchoker = Unchoker::kNeedFirst;
    return p;
  }
  bool unchoked(int n) const {
    for (const PeerView& peer : swarm().peers()) {
      if (peer.conn == conn_of(n)) return peer.flags.find('U') != std::string::npos;
    }
    return false;
  }
};

TEST_CASE("who says that he plays is unchoked within two seconds, and served before who stores") {
  NeedRig rig;
  int late = 0;
  for (int n = 1; n <= 7; ++n) {
    if (!rig.unchoked(n)) late = n;
  }
  REQUIRE(late != 0);
  rig.say(late, NeedMessage{Need::kPlaying});
  rig.pass(2s);
  CHECK(rig.unchoked(late));
  int other = 1;
  while (other == late || !rig.unchoked(other)) ++other;
  for (int block = 0; block < 20; ++block) {
    rig.say(other, Request{rig.swarm().layout().span_of(BlockIndex(block))});
    rig.say(late, Request{rig.swarm().layout().span_of(BlockIndex(block))});
  }
  // Four are under way. Each that leaves makes room for one more: sixteen to one.
  int for_late = 0;
  int done[8] = {};
  std::deque<std::pair<int, int>> wire = {{other, 0}, {other, 1}, {other, 2}, {other, 3}};
  for (int i = 0; i < 12 && !wire.empty(); ++i) {
    const auto [to, block] = wire.front();
    wire.pop_front();
    ++done[to];
    for (const std::string& line :
         rig.in(BlockSent{SwarmRig::kTorrent, conn_of(to),
                          rig.swarm().layout().span_of(BlockIndex(block)), true})) {
      const std::string name = "c" + std::to_string(late) + ": block ";
      const std::string others = "c" + std::to_string(other) + ": block ";
      if (line.rfind(name, 0) == 0) {
        ++for_late;
        wire.emplace_back(late, std::stoi(line.substr(name.size())));
      } else if (line.rfind(others, 0) == 0) {
        wire.emplace_back(other, std::stoi(line.substr(others.size())));
      }
    }
  }
  CHECK(for_late >= 9);
}

}  // namespace
}  // namespace tributary::core
