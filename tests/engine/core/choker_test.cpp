#include "engine/core/choker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }

ChokePeer peer(std::uint64_t id, BitRate received = BitRate()) {
  ChokePeer p;
  p.conn = ConnId(id);
  p.interested = true;
  p.received = received;
  return p;
}

// Peers and the choker's memory; applies each decision as a session would.
struct Bench {
  explicit Bench(std::uint64_t seed = 1) : state(Random(seed)) {}

  std::vector<std::uint64_t> decide(Duration now) {
    snapshot.now = at(now);
    const ChokeDecision d = tit_for_tat(snapshot, params, state);
    std::vector<std::uint64_t> ids;
    for (ConnId c : d.unchoked) ids.push_back(c.value());
    for (ChokePeer& p : snapshot.peers) {
      const bool on = std::find(d.unchoked.begin(), d.unchoked.end(), p.conn) != d.unchoked.end();
      if (on && !p.unchoked) p.last_unchoked_at = snapshot.now;
      p.unchoked = on;
    }
    deadline = d.next_deadline;
    return ids;
  }
  ChokePeer& operator[](std::uint64_t id) {
    return *std::find_if(snapshot.peers.begin(), snapshot.peers.end(),
                         [&](const ChokePeer& p) { return p.conn == ConnId(id); });
  }

  ChokerSnapshot snapshot;
  ChokerParams params;
  ChokerState state;
  TimePoint deadline = kNever;
};

using Ids = std::vector<std::uint64_t>;

TEST_CASE("the four best givers hold the regular slots, best first") {
  Bench b;
  b.params.optimistic_slots = 0;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    b.snapshot.peers.push_back(peer(i, BitRate(static_cast<std::int64_t>(i) * 1000)));
  }
  CHECK(b.decide(0s) == Ids{6, 5, 4, 3});
  CHECK(b.deadline == at(10s));
}

TEST_CASE("ties fall to the peer that is unchoked, then to the older, then to the smaller id") {
  Bench b;
  b.params = {.regular_slots = 2, .optimistic_slots = 0, .unearned_slots = {}};
  for (std::uint64_t i : {4, 3, 2, 1}) b.snapshot.peers.push_back(peer(i, 1000_kbps));
  b[1].connected_at = at(5s);
  CHECK(b.decide(6s) == Ids{2, 3});
  b[2].unchoked = false;
  b[4].unchoked = true;
  CHECK(b.decide(16s) == Ids{3, 4});
}

TEST_CASE("peers that want nothing, or only upload, get no slot") {
  Bench b;
  for (std::uint64_t i : {1, 2, 3}) b.snapshot.peers.push_back(peer(i, 1000_kbps));
  b[1].interested = false;
  b[2].upload_only = true;
  CHECK(b.decide(0s) == Ids{3});
  CHECK(b.deadline == kNever);
}

TEST_CASE("nobody is displaced between rankings, however much another gives") {
  Bench b;
  b.params = {.regular_slots = 1, .optimistic_slots = 0, .unearned_slots = {}};
  b.snapshot.peers = {peer(1, 10_kbps), peer(2)};
  CHECK(b.decide(0s) == Ids{1});
  b[2].received = 1000_kbps;
  CHECK(b.decide(9999ms) == Ids{1});
  CHECK(b.decide(10s) == Ids{2});
}

TEST_CASE("a newcomer gets a free slot at once") {
  Bench b;
  b.snapshot.peers = {peer(1, 10_kbps)};
  CHECK(b.decide(0s) == Ids{1});
  b.snapshot.peers.push_back(peer(2));
  CHECK(b.decide(1s) == Ids{1, 2});
  b.snapshot.peers.push_back(peer(3, 500_kbps));
  CHECK(b.decide(2s) == Ids{1, 3, 2});
}

TEST_CASE("a slot freed between rankings goes to the best of those who wait") {
  Bench b;
  b.params = {.regular_slots = 1, .optimistic_slots = 0, .unearned_slots = {}};
  b.snapshot.peers = {peer(1, 30_kbps), peer(2, 10_kbps), peer(3, 20_kbps)};
  CHECK(b.decide(0s) == Ids{1});
  b[1].interested = false;
  CHECK(b.decide(1s) == Ids{3});
}

TEST_CASE("a peer that snubs us loses its regular slot at the next ranking") {
  Bench b;
  b.params = {.regular_slots = 1, .optimistic_slots = 0, .unearned_slots = {}};
  b.snapshot.peers = {peer(1, 900_kbps), peer(2, 10_kbps)};
  CHECK(b.decide(0s) == Ids{1});
  b[1].snubbed = true;
  CHECK(b.decide(10s) == Ids{2});
}

TEST_CASE("slots that nobody earns are optimistic: a swarm that gives nothing is still served") {
  Bench b;
  for (std::uint64_t i = 1; i <= 9; ++i) b.snapshot.peers.push_back(peer(i));
  CHECK(b.decide(0s).size() == 5);
  CHECK(b.state.optimistic.size() == 5);
  b[1].received = 10_kbps;
  b[2].received = 20_kbps;
  const Ids ids = b.decide(10s);
  REQUIRE(ids.size() == 5);
  CHECK(ids[0] == 2);
  CHECK(ids[1] == 1);
  CHECK(b.state.optimistic.size() == 3);
}

TEST_CASE("the optimistic slot moves every 30 s and comes back only when nobody else waits") {
  Bench b;
  b.params = {.regular_slots = 1, .optimistic_slots = 1, .unearned_slots = {}};
  b.snapshot.peers = {peer(1, 900_kbps), peer(2), peer(3)};
  const Ids first = b.decide(0s);
  CHECK(b.decide(29999ms) == first);
  const Ids second = b.decide(30s);
  CHECK(second[0] == 1);
  CHECK(second[1] == 5 - first[1]);
  CHECK(b.decide(60s) == first);
}

TEST_CASE("an optimistic peer that pays back earns a regular slot") {
  Bench b;
  b.params = {.regular_slots = 1, .optimistic_slots = 1, .unearned_slots = {}};
  b.snapshot.peers = {peer(1, 100_kbps), peer(2)};
  CHECK(b.decide(0s) == Ids{1, 2});
  b[2].received = 200_kbps;
  CHECK(b.decide(10s) == Ids{2, 1});
}

TEST_CASE("a peer never unchoked is drawn three times as often") {
  int newcomer = 0;
  const int draws = 4000;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    Bench b(seed);
    b.params = {.regular_slots = 0, .optimistic_slots = 1, .unearned_slots = {}};
    b.snapshot.peers = {peer(1), peer(2)};
    b[1].last_unchoked_at = at(0s);
    newcomer += b.decide(100s) == Ids{2};
  }
  CHECK(newcomer > 2900);  // 3/4 of 4000 = 3000, sigma 27
  CHECK(newcomer < 3100);
}

TEST_CASE("an emergency chokes everybody, and its end fills all slots at once") {
  Bench b;
  b.snapshot.peers = {peer(1, 20_kbps), peer(2, 10_kbps)};
  CHECK(b.decide(0s) == Ids{1, 2});
  b.snapshot.stop_uploads = true;
  CHECK(b.decide(1s).empty());
  CHECK(b.deadline == kNever);
  b.snapshot.stop_uploads = false;
  CHECK(b.decide(2s) == Ids{1, 2});
}

TEST_CASE("a seed serves everybody in turns, the longest waiting first") {
  Bench b;
  b.params = {.regular_slots = 2, .optimistic_slots = 0, .unearned_slots = {}};
  b.snapshot.seeding = true;
  for (std::uint64_t i = 1; i <= 5; ++i) b.snapshot.peers.push_back(peer(i));
  CHECK(b.decide(0s) == Ids{1, 2});
  CHECK(b.decide(59s) == Ids{1, 2});
  CHECK(b.decide(69s) == Ids{3, 4});
  CHECK(b.decide(129s) == Ids{5, 1});
}

TEST_CASE("a seed lets the fastest takers stay when few wait") {
  Bench b;
  b.params = {.regular_slots = 2, .optimistic_slots = 0, .unearned_slots = {}};
  b.snapshot.seeding = true;
  b.snapshot.peers = {peer(1), peer(2)};
  CHECK(b.decide(0s) == Ids{1, 2});
  b[1].sent = 10_kbps;
  b[2].sent = 900_kbps;
  b.snapshot.peers.push_back(peer(3));
  CHECK(b.decide(60s) == Ids{3, 2});
}

TEST_CASE("property: never more than the slots, never an unfit peer, no slot idle, nobody twice") {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    Bench b(random.next());
    b.snapshot.seeding = random.chance(1, 2);
    for (int step = 0; step < 40; ++step) {
      if (random.chance(1, 2)) b.snapshot.peers.push_back(peer(static_cast<std::uint64_t>(step)));
      for (ChokePeer& p : b.snapshot.peers) {
        p.interested = random.chance(3, 4);
        p.upload_only = random.chance(1, 8);
        p.snubbed = random.chance(1, 4);
        p.received = BitRate(static_cast<std::int64_t>(random.below(3)));
      }
      b.snapshot.stop_uploads = random.chance(1, 10);
      const Ids ids = b.decide(step * 4s);
      std::size_t fit = 0;
      for (const ChokePeer& p : b.snapshot.peers) fit += p.interested && !p.upload_only;
      CHECK(ids.size() == (b.snapshot.stop_uploads ? 0 : std::min<std::size_t>(fit, 5)));
      CHECK(std::set(ids.begin(), ids.end()).size() == ids.size());
      for (std::uint64_t id : ids) CHECK((b[id].interested && !b[id].upload_only));
      if (b.deadline != kNever) CHECK(b.deadline > b.snapshot.now);
    }
  }
}

TEST_CASE("property: in a swarm that gives nothing everybody is served within a few rotations") {
  Bench b(3);
  for (std::uint64_t i = 0; i < 30; ++i) b.snapshot.peers.push_back(peer(i));
  std::map<std::uint64_t, int> served;
  for (int step = 0; step < 60; ++step) {
    for (std::uint64_t id : b.decide(step * 30s)) ++served[id];
  }
  CHECK(served.size() == 30);
}

}  // namespace
}  // namespace tributary::core
