#include "engine/base/url.h"

#include <doctest/doctest.h>

namespace tributary {
namespace {

TEST_CASE("an origin ends where the path, the query or the fragment begins") {
  CHECK(origin_of("https://Host:8443/A/b?c") == "https://host:8443");
  CHECK(origin_of("http://host?q=/") == "http://host");
  CHECK(origin_of("http://host#a") == "http://host");
  CHECK(origin_of("http://host") == "http://host");
  CHECK(origin_of("host/path") == "host");
  CHECK(origin_of("").empty());
}

}  // namespace
}  // namespace tributary
