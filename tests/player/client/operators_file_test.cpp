#include "player/client/operators_file.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

using namespace tributary;          // NOLINT
using namespace tributary::player;  // NOLINT

namespace {

// A file of its own in the working directory, gone at the end.
struct List {
  explicit List(const std::string& text) { std::ofstream(path) << text; }
  ~List() { std::remove(path.c_str()); }
  const std::string path = "operators_file_test.list";
};

}  // namespace

TEST_CASE("without a file there are no operators") {
  const auto none = read_operators("");
  REQUIRE(none.ok());
  CHECK(*none == nullptr);
}

TEST_CASE("a file of operators is read whole") {
  const List list("203.0.113.0/24 Example Net\n2001:db8::/32 Example Net\n");
  const auto table = read_operators(list.path);
  REQUIRE(table.ok());
  CHECK((*table)->size() == 2);
  CHECK((*table)->find(Endpoint::v4(203, 0, 113, 9, 1)) == "Example Net");
}

TEST_CASE("a list that is wrong or missing is told with its name, and the line") {
  const List list("203.0.113.0/24 Example Net\n203.0.113.0/40 Example Net\n");
  CHECK(read_operators(list.path).error().message ==
        "'operators_file_test.list' line 2, '203.0.113.0/40 Example Net', needs a length of 0 to "
        "32 behind the slash");
  for (const char* path : {"no_such.list", "."}) {
    const auto missing = read_operators(path);
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().message.find(std::string("'") + path + "'") != std::string::npos);
  }
}
