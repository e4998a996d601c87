#include "engine/base/compact_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "engine/base/random.h"

namespace tributary {
namespace {

TEST_CASE("property: a compact map does what a map does") {
  Random random(7);
  CompactMap<int, std::string> map;
  std::map<int, std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    const int key = static_cast<int>(random.below(60));
    switch (random.below(4)) {
      case 0:
        CHECK(map.try_emplace(key, 3, 'x').second == model.try_emplace(key, 3, 'x').second);
        break;
      case 1:
        CHECK(map.erase(key) == model.erase(key));
        break;
      case 2:
        map[key] = model[key] = std::to_string(i);
        break;
      default: {
        const auto found = map.find(key);
        REQUIRE((found != map.end()) == model.contains(key));
        CHECK(map.contains(key) == model.contains(key));
        if (found != map.end()) CHECK(*found == *model.find(key));
        if (found != map.end()) CHECK(std::as_const(map).at(key) == model.at(key));
      }
    }
    CHECK(map.size() == model.size());
    CHECK(map.empty() == model.empty());
  }
  CHECK(std::equal(map.begin(), map.end(), model.begin(), model.end()));
}

TEST_CASE("a value stays where it is while others come and go") {
  CompactMap<int, std::string> map;
  const std::string& kept = map.try_emplace(50, "kept").first->second;
  for (int i = 0; i < 100; ++i) map.try_emplace(i, "other");
  for (int i = 0; i < 100; ++i) {
    if (i != 50) map.erase(i);
  }
  CHECK(kept == "kept");
  CHECK(&map.at(50) == &kept);
}

}  // namespace
}  // namespace tributary
