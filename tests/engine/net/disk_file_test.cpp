#include "engine/net/disk_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/engine/net/store_fixture.h"

namespace tributary::net::test {
namespace {

namespace fs = std::filesystem;

Data read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a whole file is replaced, and nothing else is left") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path + "/report.json";
  const Data old = noise(40_KiB, 1);
  const Data fresh = noise(3_B, 2);
  REQUIRE(replace_file(path, old).ok());
  CHECK(read_whole(path) == old);
  REQUIRE(replace_file(path, fresh).ok());
  CHECK(read_whole(path) == fresh);
  CHECK(std::distance(fs::directory_iterator(scratch.path), fs::directory_iterator()) == 1);
}

TEST_CASE("what cannot be written stays as it was") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path + "/report.json";
  const Data old = noise(10_B, 1);
  REQUIRE(replace_file(path, old).ok());
  fs::create_directory(path + ".part");  // stands in the way of the new one
  const auto written = replace_file(path, noise(20_B, 2));
  REQUIRE_FALSE(written.ok());
  CHECK(written.error().message.find("cannot write " + path) == 0);
  CHECK(read_whole(path) == old);
  CHECK(replace_file(scratch.path + "/none/x", old).error().code == ErrorCode::kNotFound);
}

TEST_CASE("devices and links are written through, not replaced") {
  const ScratchDirectory scratch;
  const Data text = noise(10_B, 1);
  REQUIRE(replace_file("/dev/null", text).ok());
  CHECK(fs::is_character_file("/dev/null"));
  const auto full = replace_file("/dev/full", text);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().message == "cannot write /dev/full: No space left on device");
  CHECK(fs::is_character_file("/dev/full"));
  const std::string link = scratch.path + "/link";
  fs::create_symlink("target", link);
  REQUIRE(replace_file(link, text).ok());
  CHECK(fs::is_symlink(link));
  CHECK(read_whole(scratch.path + "/target") == text);
}

}  // namespace
}  // namespace tributary::net::test
