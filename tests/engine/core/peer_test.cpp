#include "engine/core/peer.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

TEST_CASE("the bytes of the last ten seconds are those of this second and of nine before it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    RecentBytes recent;
    std::vector<std::pair<std::int64_t, Bytes>> all;  // second, bytes
    std::int64_t second = 0;
    for (int i = 0; i < 200; ++i) {
      second += static_cast<std::int64_t>(random.below(random.chance(1, 10) ? 30 : 3));
      const TimePoint now(std::chrono::seconds(second) + 300ms);
      Bytes expected;
      for (const auto& [at, bytes] : all) {
        if (at > second - 10) expected += bytes;
      }
      CHECK(recent.sum(now) == expected);
      all.emplace_back(second, Bytes(static_cast<std::int64_t>(random.below(1000))));
      recent.add(now, all.back().second);
    }
  }
}

TEST_CASE("steps of ten minutes give the last ten minutes and the last hour") {
  RecentBytes traffic(10min);
  traffic.add(TimePoint(5min), Bytes(1));
  traffic.add(TimePoint(25min), Bytes(2));
  traffic.add(TimePoint(55min), Bytes(4));
  CHECK(traffic.sum(TimePoint(59min), 1) == Bytes(4));
  CHECK(traffic.sum(TimePoint(59min), 6) == Bytes(7));
  CHECK(traffic.sum(TimePoint(61min), 1) == 0_B);
  CHECK(traffic.sum(TimePoint(61min), 6) == Bytes(6));
  CHECK(traffic.sum(TimePoint(10h)) == 0_B);
}

TEST_CASE("a peer that says hello and nothing more takes little memory") {
  CHECK(sizeof(Peer) <= 320);
}

TEST_CASE("what is read of a peer that was asked for nothing is nothing") {
  const Peer peer(ConnId(1), Endpoint{}, 8);
  CHECK(peer.in_flight() == 0);
  CHECK_FALSE(peer.owes(BlockIndex(0)));
  CHECK(peer.probe_at() == kNever);
  CHECK(peer.download->received.sum(TimePoint(5s)) == 0_B);
  CHECK(peer.upload->last_unchoked == kNeverUnchoked);
}

}  // namespace
}  // namespace tributary::core
