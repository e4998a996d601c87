#include "demo/loadtest/runner.h"

#include <doctest/doctest.h>

namespace tributary::demo {
namespace {

TEST_CASE("every policy is run, however soon the first thread is through") {
  auto scenario = parse_scenario("[listeners]\ncount = 1\ntime = \"1s\"\n", "s.toml");
  REQUIRE(scenario.ok());
  const LoadRun run{*std::move(scenario), {core::Policy::adaptive(), core::Policy::spotify()}};
  const std::atomic<bool> stop = false;
  for (int i = 0; i < 2'000; ++i) {
    const auto reports = run_load(
        run, [](Duration, Duration) {}, stop);
    REQUIRE(reports.size() == 2);
  }
}

}  // namespace
}  // namespace tributary::demo
