#include "demo/unchoker_option.h"

#include <doctest/doctest.h>

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

TEST_CASE("unchokers are known by name, and an unknown one is answered with all names") {
  for (const core::Unchoker unchoker : core::kUnchokers) {
    CHECK(*parse_unchoker(core::to_string(unchoker)) == unchoker);
  }
  CHECK(parse_unchoker("fair").error().message ==
        "unknown unchoker 'fair'; choose tit-for-tat, tit-for-tat-fastest, prop-share, need-first");
}
