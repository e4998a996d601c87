// The unchokers beside BEP 3's: shares by what was received, and by need.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "engine/core/choker.h"

namespace tributary::core {
namespace {

ChokePeer peer(std::uint64_t id, BitRate received = BitRate(), Need need = Need::kStoring) {
  ChokePeer p;
  p.conn = ConnId(id);
  p.interested = true;
  p.received = received;
  p.need = need;
  return p;
}

struct Bench {
  explicit Bench(Unchoker kind, std::uint64_t seed = 1)
      : rule(unchoke_by(kind)), state(Random(seed)) {}

  std::vector<std::uint64_t> decide(Duration now) {
    snapshot.now = TimePoint(now);
    last = rule(snapshot, state);
    std::vector<std::uint64_t> ids;
    for (ConnId c : last.unchoked) ids.push_back(c.value());
    for (ChokePeer& p : snapshot.peers) {
      const bool on = std::count(ids.begin(), ids.end(), p.conn.value()) > 0;
      if (on && !p.unchoked) p.last_unchoked_at = snapshot.now;
      p.unchoked = on;
    }
    return ids;
  }
  std::int32_t weight(std::uint64_t id) const {
    for (std::size_t i = 0; i < last.unchoked.size(); ++i) {
      if (last.unchoked[i] == ConnId(id)) return last.shares.at(i).weight;
    }
    return 0;
  }
  std::int32_t weights() const {
    return std::accumulate(last.shares.begin(), last.shares.end(), 0,
                           [](std::int32_t sum, const UploadShare& s) { return sum + s.weight; });
  }
  ChokePeer& operator[](std::uint64_t id) {
    return *std::find_if(snapshot.peers.begin(), snapshot.peers.end(),
                         [&](const ChokePeer& p) { return p.conn == ConnId(id); });
  }

  ChokeRule rule;
  ChokerSnapshot snapshot;
  ChokerState state;
  ChokeDecision last;
};

using Ids = std::vector<std::uint64_t>;

TEST_CASE("each unchoker is found by its name, and no other name is one") {
  for (const Unchoker unchoker : kUnchokers)
    CHECK(unchoker_by_name(to_string(unchoker)) == unchoker);
  CHECK_FALSE(unchoker_by_name("").has_value());
  CHECK_FALSE(unchoker_by_name("tit_for_tat").has_value());
}

TEST_CASE(
    "to the fastest: as a seed the fastest takers hold the slots, but for the optimistic one") {
  Bench b(Unchoker::kTitForTatFastest);
  b.snapshot.seeding = true;
  for (std::uint64_t id = 1; id <= 8; ++id) {
    b.snapshot.peers.push_back(peer(id));
    b.snapshot.peers.back().sent = BitRate(static_cast<std::int64_t>(id) * 1000);
  }
  Ids ids = b.decide(0s);
  REQUIRE(ids.size() == 5);
  ids.resize(4);
  CHECK(ids == Ids{8, 7, 6, 5});
  CHECK(b.last.shares.empty());
}

TEST_CASE("prop-share: givers get what they gave of all, and newcomers a fifth") {
  Bench b(Unchoker::kPropShare);
  b.snapshot.peers = {peer(1, 300_kbps), peer(2, 100_kbps), peer(3)};
  CHECK(b.decide(0s) == Ids{1, 2, 3});
  CHECK(b.weight(1) == 6000);
  CHECK(b.weight(2) == 2000);
  CHECK(b.weight(3) == 2000);
  CHECK(b.last.next_deadline == TimePoint(10s));  // shares change even where all have a slot
}

TEST_CASE("prop-share: where nobody is new the givers have it all") {
  Bench b(Unchoker::kPropShare);
  b.snapshot.peers = {peer(1, 300_kbps), peer(2, 100_kbps)};
  b.decide(0s);
  CHECK(b.weight(1) == 7500);
  CHECK(b.weight(2) == 2500);
}

TEST_CASE("prop-share: more than the four best givers are served, however little they give") {
  Bench b(Unchoker::kPropShare);
  for (std::uint64_t id = 1; id <= 20; ++id) {
    b.snapshot.peers.push_back(peer(id, BitRate(static_cast<std::int64_t>(id) * 1000)));
  }
  const Ids ids = b.decide(0s);
  REQUIRE(ids.size() == 17);  // sixteen and an optimistic one
  CHECK(ids.front() == 20);
  CHECK(ids[15] == 5);
  CHECK(ids[16] <= 4);
  for (const UploadShare& share : b.last.shares) CHECK(share.weight >= 1);
}

TEST_CASE("prop-share: where nobody gives, five are tried and share equally") {
  Bench b(Unchoker::kPropShare);
  for (std::uint64_t id = 1; id <= 9; ++id) b.snapshot.peers.push_back(peer(id));
  CHECK(b.decide(0s).size() == 5);
  for (const UploadShare& share : b.last.shares) CHECK(share.weight == 400);
}

TEST_CASE("prop-share: who only takes is no newcomer, until he gives") {
  Bench b(Unchoker::kPropShare);
  b.snapshot.peers = {peer(1, 300_kbps), peer(2)};
  b[2].only_takes = true;
  CHECK(b.decide(0s) == Ids{1});
  b[2].received = 1_kbps;
  CHECK(b.decide(10s) == Ids{1, 2});
}

TEST_CASE("prop-share: a seed serves in turns, unweighed, and nobody in an emergency") {
  Bench b(Unchoker::kPropShare);
  b.snapshot.seeding = true;
  b.snapshot.peers = {peer(1, 300_kbps), peer(2)};
  CHECK(b.decide(0s) == Ids{1, 2});
  CHECK(b.last.shares.empty());
  b.snapshot.seeding = false;
  b.snapshot.stop_uploads = true;
  CHECK(b.decide(1s).empty());
}

TEST_CASE("property: prop-share's weights are in proportion, and add up to the whole") {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    Bench b(Unchoker::kPropShare, random.next());
    const auto count = random.below(16) + 1;
    std::int64_t sum = 0;
    for (std::uint64_t id = 0; id < count; ++id) {
      const auto rate = static_cast<std::int64_t>(random.below(5'000'000)) + 100'000;
      b.snapshot.peers.push_back(peer(id, BitRate(rate)));
      sum += rate;
    }
    b.decide(0s);
    CHECK(b.weights() <= 10'000);
    CHECK(b.weights() >= 10'000 - static_cast<std::int32_t>(count));
    for (std::uint64_t id = 0; id < count; ++id) {
      const std::int64_t exact = b[id].received.bits_per_second() * 10'000 / sum;
      CHECK(b.weight(id) >= exact - 1);
      CHECK(b.weight(id) <= exact + 1);
    }
  }
}

TEST_CASE("need-first: who plays has slots before who prefetches before who stores") {
  Bench b(Unchoker::kNeedFirst);
  for (std::uint64_t id = 1; id <= 6; ++id) b.snapshot.peers.push_back(peer(id, 900_kbps));
  for (std::uint64_t id : {7, 8, 9})
    b.snapshot.peers.push_back(peer(id, BitRate(), Need::kPlaying));
  b.snapshot.peers.push_back(peer(10, BitRate(), Need::kPrefetching));
  Ids ids = b.decide(0s);
  REQUIRE(ids.size() == 5);
  ids.resize(4);
  CHECK(ids == Ids{7, 8, 9, 10});
  CHECK(b.weight(7) == 16);
  CHECK(b.weight(10) == 4);
}

TEST_CASE("need-first: who begins to play gets a slot within two seconds") {
  Bench b(Unchoker::kNeedFirst);
  for (std::uint64_t id = 1; id <= 6; ++id) b.snapshot.peers.push_back(peer(id));
  b.decide(0s);
  const auto waiting = std::find_if(b.snapshot.peers.begin(), b.snapshot.peers.end(),
                                    [](const ChokePeer& p) { return !p.unchoked; });
  waiting->need = Need::kPlaying;
  b.decide(1s);
  CHECK_FALSE(waiting->unchoked);
  b.decide(2s);
  CHECK(waiting->unchoked);
}

TEST_CASE("need-first: equals hold their slots for a turn, however often it ranks") {
  Bench b(Unchoker::kNeedFirst);
  for (std::uint64_t id = 1; id <= 9; ++id) b.snapshot.peers.push_back(peer(id));
  Ids first = b.decide(0s);
  first.resize(4);
  for (Duration now = 2s; now < 60s; now += 2s) {
    Ids ids = b.decide(now);
    ids.resize(4);
    CHECK(ids == first);
  }
}

TEST_CASE("need-first: who claimed more than he is believed waits behind all others") {
  Bench b(Unchoker::kNeedFirst);
  for (std::uint64_t id = 1; id <= 8; ++id) b.snapshot.peers.push_back(peer(id));
  b[1].need = Need::kPlaying;
  CHECK(b.decide(0s).front() == 1);
  b[1].need = Need::kStoring;
  b[1].overdrawn = true;
  Ids ids = b.decide(2s);
  ids.resize(4);  // the regular ones
  CHECK(std::count(ids.begin(), ids.end(), 1) == 0);
}

}  // namespace
}  // namespace tributary::core
