#include "engine/net/cache_index.h"

#include "tests/engine/net/store_fixture.h"

using namespace tributary;
using namespace tributary::net;
using namespace tributary::net::test;

namespace {

IndexChange mark(const std::string& key, std::int32_t block, std::uint8_t leaf) {
  return {IndexChange::Kind::kMark, key, BlockIndex(block), Sha256{{leaf}}, 0};
}
CacheIndex open(const std::string& path) {
  auto index = CacheIndex::open(path, {});
  REQUIRE(index.ok());
  return std::move(*index);
}

}  // namespace

TEST_CASE("the index remembers blocks, digests and uses across openings") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path + "/index.sqlite";
  {
    CacheIndex index = open(path);
    REQUIRE(index
                .apply({mark("a", 0, 1),
                        mark("a", 63, 2),
                        mark("a", 64, 3),
                        mark("b", 5, 4),
                        {IndexChange::Kind::kTouch, "a", {}, {}, 42}})
                .ok());
  }
  CacheIndex index = open(path);
  const auto list = index.list();
  REQUIRE(list.ok());
  REQUIRE(list->size() == 2);
  CHECK(list->at(0).key == "a");
  CHECK(list->at(0).last_use == 42);
  CHECK(list->at(0).blocks == 3);
  const auto blocks = index.load("a", 100);
  CHECK(blocks->have.count() == 3);
  CHECK(blocks->leaves.at(63) == Sha256{{2}});
  CHECK(blocks->leaves.at(64) == Sha256{{3}});
  CHECK(index.load("a", 64)->have.count() == 2);  // rows beyond the content are ignored
  CHECK(index.load("nobody", 64)->have.none());
}

TEST_CASE("clearing and removing forget, in the order of the batch") {
  const ScratchDirectory scratch;
  CacheIndex index = open(scratch.path + "/index.sqlite");
  REQUIRE(index
              .apply({mark("a", 0, 1),
                      mark("a", 1, 1),
                      {IndexChange::Kind::kClear, "a", BlockIndex(0), {}, 0},
                      mark("b", 0, 1),
                      {IndexChange::Kind::kRemove, "b", {}, {}, 0},
                      mark("b", 7, 1)})
              .ok());
  CHECK(index.load("a", 8)->have.find_next(0) == 1);
  CHECK(index.load("b", 8)->have.find_next(0) == 7);
}

TEST_CASE("an index of a newer version is left alone") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path + "/index.sqlite";
  { const CacheIndex index = open(path); }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(60);  // user_version, big-endian (SQLite file format, 1.3)
  file.write("\0\0\0\x63", 4);
  file.close();
  CHECK(CacheIndex::open(path, {}).error().code == ErrorCode::kUnsupported);
  CHECK_FALSE(std::filesystem::exists(path + ".corrupt"));
}
