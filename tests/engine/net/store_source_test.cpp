// User files: verified before they are offered, never written.
#include "engine/net/store_source.h"

#include "tests/engine/net/store_fixture.h"

using namespace tributary;
using namespace tributary::net;
using namespace tributary::net::test;

namespace {

const std::vector<NamedData>& files() {
  static const std::vector<NamedData> all = {{"cd/one", noise(100'000_B, 1)},
                                             {"two", noise(70'001_B, 2)}};
  return all;
}

void lay_out(const std::string& root, const std::vector<NamedData>& all) {
  for (const NamedData& file : all) {
    const std::filesystem::path path = root + "/album/" + file.path;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data.data()),
               static_cast<std::streamsize>(file.data.size()));
  }
}

Bitfield add_source(Host& host, const Made& made, const std::string& directory) {
  Bitfield out;
  bool done = false;
  std::int32_t last = 0;
  host.store->add_source(
      kA, directory,
      [&](std::int32_t at, std::int32_t all) {
        CHECK(at == ++last);
        CHECK(all == made.layout->piece_count());
      },
      [&](Bitfield b) { out = std::move(b), done = true; });
  host.wait(done);
  CHECK(last == made.layout->piece_count());
  return out;
}

std::vector<int> pieces_in(const Made& made, const Bitfield& blocks) {
  std::vector<int> out;
  for (std::int32_t p = 0; p < made.layout->piece_count(); ++p) {
    if (blocks.test(made.layout->blocks_of(core::PieceIndex(p)).begin.value())) out.push_back(p);
  }
  return out;
}

}  // namespace

TEST_CASE("whole user files are offered whole, in every kind of torrent") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  for (const Kind kind : {Kind::kV1, Kind::kV2, Kind::kHybrid}) {
    const Made made = make_torrent(kind, 32_KiB, files());
    Host host;
    REQUIRE(host.start().ok());
    CHECK(host.open(kA, made).none());
    const Bitfield have = add_source(host, made, scratch.path);
    CHECK(static_cast<int>(pieces_in(made, have).size()) == made.layout->piece_count());
    CHECK(*host.read(kA, {0_B, made.layout->total_size()}) == made.space);
    CHECK(host.store->stats().on_disk == 0_B);
  }
}

TEST_CASE("missing, short and wrong files cost only their pieces") {
  for (const Kind kind : {Kind::kV1, Kind::kHybrid}) {
    const ScratchDirectory scratch;
    lay_out(scratch.path, files());
    flip_byte(scratch.path + "/album/cd/one", 40'000);                  // piece 1
    std::filesystem::resize_file(scratch.path + "/album/two", 40'000);  // hybrid: piece 5 on
    const Made made = make_torrent(kind, 32_KiB, files());
    Host host;
    REQUIRE(host.start().ok());
    host.open(kA, made);
    const Bitfield have = add_source(host, made, scratch.path);
    const std::vector<int> expected =
        kind == Kind::kV1 ? std::vector<int>{0, 2, 3} : std::vector<int>{0, 2, 3, 4};
    CHECK(pieces_in(made, have) == expected);
    CHECK_FALSE(host.read(kA, {40'000_B, 40'001_B}).ok());
    // What is missing comes from peers, and goes to the store, not into the user's file.
    host.put(kA, made, {BlockIndex(2), BlockIndex(4)});
    CHECK(*host.read(kA, {0_B, 96_KiB}) == made.range({0_B, 96_KiB}));
    CHECK(std::filesystem::file_size(scratch.path + "/album/two") == 40'000);
    std::filesystem::remove_all(scratch.path + "/album");
    CHECK_FALSE(host.read(kA, {0_B, 16_KiB}).ok());
    CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(0), BlockIndex(1)}}});
  }
}

TEST_CASE("a user file that changes after it was verified is not shared any more") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  const Made made = make_torrent(Kind::kV2, 32_KiB, files());
  Host host;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  add_source(host, made, scratch.path);
  std::ofstream(scratch.path + "/album/cd/one", std::ios::app) << "more";
  CHECK_FALSE(host.read(kA, {0_B, 16_KiB}).ok());
  CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(0), BlockIndex(1)}}});
}

TEST_CASE("dropping the torrent stops the verification") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  const Made made = make_torrent(Kind::kV2, 32_KiB, files());
  Host host;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  bool first = false;
  int calls = 0;
  host.store->add_source(
      kA, scratch.path,
      [&](std::int32_t, std::int32_t) {
        ++calls;
        first = true;
        host.store->drop(kA);
      },
      [](Bitfield) { FAIL("finished"); });
  host.wait(first);
  host.flush();
  host.turn();
  CHECK(calls == 1);
}

TEST_CASE("a torrent's name that is a path opens nothing") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  const Made made =
      make_torrent(Kind::kV2, 32_KiB, files(), "../" + scratch.path.substr(5) + "/album");
  const UserFiles user(scratch.path, made.info, made.layout);
  CHECK_FALSE(user.verify(core::PieceIndex(0)));
}
