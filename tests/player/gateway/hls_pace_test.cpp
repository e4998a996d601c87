#include "player/gateway/hls_pace.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

const TimePoint kStart{100s};

HlsPace four_segments() {
  HlsPace pace;
  pace.note({{"a", 4s}, {"b", 4s}, {"c", 4s}, {"d", 3s}});
  return pace;
}

TEST_CASE("a segment is due when those that were asked for before it have been played") {
  HlsPace pace = four_segments();
  CHECK(pace.lead("p", "a", kStart) == 0s);
  CHECK(pace.lead("p", "b", kStart + 1s) == 3s);   // a plays until 4 s
  CHECK(pace.lead("p", "c", kStart + 2s) == 6s);   // b until 8 s
  CHECK(pace.lead("p", "d", kStart + 13s) == 0s);  // c was over after 12 s: it ran dry
}

TEST_CASE("after a seek a segment is due at once, and the next follows it") {
  HlsPace pace = four_segments();
  CHECK(pace.lead("p", "a", kStart) == 0s);
  CHECK(pace.lead("p", "c", kStart + 1s) == 0s);
  CHECK(pace.lead("p", "d", kStart + 2s) == 3s);
}

TEST_CASE("a segment that is asked for again is due as it was") {
  HlsPace pace = four_segments();
  pace.lead("p", "a", kStart);
  CHECK(pace.lead("p", "b", kStart + 1s) == 3s);
  CHECK(pace.lead("p", "b", kStart + 2s) == 2s);
  CHECK(pace.lead("p", "c", kStart + 2s) == 6s);
}

TEST_CASE("what one player has is no other's, and who has not asked for long is forgotten") {
  HlsPace pace = four_segments();
  pace.lead("p", "a", kStart);
  CHECK(pace.lead("q", "b", kStart) == 0s);
  CHECK(pace.lead("p", "b", kStart) == 4s);
  for (std::size_t i = 0; i < HlsPace::kPlayers; ++i)
    pace.lead("other " + std::to_string(i), "a", kStart);
  CHECK(pace.lead("p", "c", kStart) == 0s);
}

TEST_CASE(
    "the sound and the picture of a stream are told apart, and what is no segment has no lead") {
  HlsPace pace;
  pace.note({{"v1", 4s}, {"v2", 4s}});
  pace.note({{"s1", 4s}, {"s2", 4s}});
  pace.lead("p", "v1", kStart);
  pace.lead("p", "s1", kStart);
  CHECK(pace.lead("p", "v2", kStart + 1s) == 3s);
  CHECK(pace.lead("p", "s2", kStart + 1s) == 3s);
  CHECK(pace.lead("p", "cover.jpg", kStart) == 0s);
}

}  // namespace
}  // namespace tributary::player
