#include "engine/net/bounded_file.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace tributary::net {
namespace {

// A file of its own in the working directory, gone at the end.
struct File {
  explicit File(std::size_t size) { std::ofstream(path) << std::string(size, 'x'); }
  ~File() { std::remove(path.c_str()); }
  const std::string path = "bounded_file_test.txt";
};

TEST_CASE("a file is read whole up to the limit, and refused beyond it") {
  const File file(2 << 20);
  const auto whole = read_bounded(file.path, 2_MiB, "a text");
  REQUIRE(whole.ok());
  CHECK(*whole == std::string(2 << 20, 'x'));
  const auto refused = read_bounded(file.path, 1_MiB, "a text");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kLimit);
  CHECK(refused.error().message == "'bounded_file_test.txt' is over 1 MiB, too large for a text");
}

TEST_CASE("what is no file is told with the reason") {
  const auto folder = read_bounded(".", 1_MiB, "a text");
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().code == ErrorCode::kNotFound);
  CHECK(folder.error().message == "cannot read '.': Is a directory; give the path of a text");
}

}  // namespace
}  // namespace tributary::net
