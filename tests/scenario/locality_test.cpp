// What preferring near peers keeps within an operator's network, and what it costs listeners.
#include <doctest/doctest.h>

#include "tests/scenario/cast/localities.h"

namespace tributary::sim {
namespace {

TEST_CASE("who dials the nearest first keeps most bytes with his operator, at no cost to playing") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const LocalityReport alike = viewers_of_operators({.ranked = false, .seed = seed});
    const LocalityReport near = viewers_of_operators({.ranked = true, .seed = seed});
    MESSAGE(alike.line());
    MESSAGE(near.line());
    // By chance one byte in four comes from the own operator.
    CHECK(alike.inside() <= 35);
    CHECK(near.inside() >= 60);
    CHECK(near.all.unfinished == 0);
    CHECK(near.all.stalls <= alike.all.stalls);
    CHECK(near.all.startup(95) <= alike.all.startup(95) + 5ms);
    CHECK(near.all.offload_permille() + 10 >= alike.all.offload_permille());
  }
}

}  // namespace
}  // namespace tributary::sim
