#include "engine/base/on_demand.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace tributary {
namespace {

struct Settings {
  int level = 7;
  std::string name;
};

TEST_CASE("a value on demand reads as an unchanged one until it is changed") {
  OnDemand<Settings> one;
  OnDemand<Settings> other;
  CHECK(one->level == 7);
  CHECK(&*one == &*other);
  one.edit().level = 8;
  one.edit().name = "one";
  CHECK(one->level == 8);
  CHECK(one->name == "one");
  CHECK(other->level == 7);
  CHECK(other->name.empty());
}

TEST_CASE("a value on demand is a pointer's size, and stays where it is when it is moved") {
  static_assert(sizeof(OnDemand<Settings>) == sizeof(void*));
  OnDemand<Settings> from;
  const Settings* at = &from.edit();
  const OnDemand<Settings> to = std::move(from);
  CHECK(&*to == at);
}

}  // namespace
}  // namespace tributary
