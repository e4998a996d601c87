#include "player/gateway/settings.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

TEST_CASE("settings are read, and what is left out is not touched") {
  const auto all =
      parse_settings(R"({"policy": "cdn-only", "up_bps": 0, "down_bps": 1000, "upload": false})");
  REQUIRE(all.ok());
  CHECK(all->policy->name == "cdn-only");
  CHECK(all->up == kUnlimited);
  CHECK(all->down == 1_kbps);
  CHECK(all->upload == false);
  const auto none = parse_settings("{}");
  REQUIRE(none.ok());
  CHECK_FALSE((none->policy || none->up || none->down || none->upload));
}

TEST_CASE("settings that make no sense are told in one line") {
  for (const char* json :
       {"", "[]", "{", "null", R"({"policy": "magic"})", R"({"policy": 1})", R"({"up_bps": 999})",
        R"({"up_bps": -1})", R"({"down_bps": 1e30})", R"({"down_bps": "1M"})", R"({"upload": 1})",
        R"({"down_bps": 18446744073709551615})", R"({"volume": 11})"}) {
    CAPTURE(json);
    const auto settings = parse_settings(json);
    REQUIRE_FALSE(settings.ok());
    CHECK(settings.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("what holds is told as it would be set") {
  EngineView engine;
  engine.policy = core::Policy::spotify();
  engine.limits.down = 2_Mbps;
  CHECK(settings_json(engine) ==
        R"({"policy":"spotify","up_bps":0,"down_bps":2000000,"upload":true})");
}

}  // namespace
}  // namespace tributary::player
