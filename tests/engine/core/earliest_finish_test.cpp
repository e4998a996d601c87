#include "engine/core/earliest_finish.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

TEST_CASE("the earliest finish of a piece is that of its fastest peer") {
  constexpr int kPieces = 150;  // three groups, the last not full
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::vector<Bitfield> has;
    std::vector<TimePoint> finishes;
    for (int peer = 0; peer < 30; ++peer) {
      Bitfield bits(kPieces, random.chance(1, 20));
      for (int i = 0; i < 40; ++i) bits.set(static_cast<int>(random.below(kPieces - 1)));
      has.push_back(bits);
      finishes.emplace_back(Duration(static_cast<std::int64_t>(random.below(1'000'000))));
    }
    EarliestFinish earliest(kPieces);
    for (std::size_t i = 0; i < has.size(); ++i) earliest.add(has[i], finishes[i]);
    for (int piece = kPieces - 1; piece >= 0; --piece) {
      TimePoint expected = kNever;
      for (std::size_t i = 0; i < has.size(); ++i) {
        if (has[i].test(piece)) expected = std::min(expected, finishes[i]);
      }
      CHECK(earliest.of(PieceIndex(piece)) == expected);
    }
  }
}

TEST_CASE("without peers no piece has a finish") {
  EarliestFinish earliest(1);
  CHECK(earliest.of(PieceIndex(0)) == kNever);
}

}  // namespace
}  // namespace tributary::core
