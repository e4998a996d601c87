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
  std::vector<Sha256> leaves;
  CHECK_FALSE(user.verify(core::PieceIndex(0), leaves));
}

TEST_CASE("after one read of a user file the next blocks need no other thread") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  for (const Kind kind : {Kind::kV1, Kind::kHybrid}) {
    const Made made = make_torrent(kind, 32_KiB, files());
    Host host;
    REQUIRE(host.start().ok());
    host.open(kA, made);
    add_source(host, made, scratch.path);
    CHECK(host.read(kA, {0_B, 16_KiB}).ok());
    // Only Linux tells what is in its page cache, and not for every file system.
    Data out(16 * 1024 - 7);
    const ByteRange range{32_KiB + 7_B, 48_KiB};
    if (!host.store->try_read_now(kA, range, out)) {
      MESSAGE("this system does not read without waiting; not checked");
      return;
    }
    CHECK(out == made.range(range));
    CHECK_FALSE(host.store->try_read(kA, range, out));  // not in the store's own memory
    out.resize(1);
    CHECK_FALSE(host.store->try_read_now(
        kA, {made.layout->total_size(), made.layout->total_size() + 1_B}, out));
  }
}

TEST_CASE("a user file that changes is not read at once either, and its leaves are dropped") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  const Made made = make_torrent(Kind::kV2, 32_KiB, files());
  Host host;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  add_source(host, made, scratch.path);
  CHECK(host.read(kA, {0_B, 16_KiB}).ok());
  std::ofstream(scratch.path + "/album/cd/one", std::ios::app) << "more";
  Data out(16 * 1024);
  CHECK_FALSE(host.store->try_read_now(kA, {16_KiB, 32_KiB}, out));
  const BlockRange piece{BlockIndex(0), BlockIndex(2)};
  CHECK(host.store->leaves(kA, piece).size() == 2);
  CHECK_FALSE(host.read(kA, {16_KiB, 32_KiB}).ok());
  CHECK(host.store->leaves(kA, piece).empty());
  CHECK(host.store->leaves(kA, {BlockIndex(2), BlockIndex(4)}).size() == 2);
}

TEST_CASE("leaves that verification proved are the hashes of the blocks, and no others are told") {
  const ScratchDirectory scratch;
  lay_out(scratch.path, files());
  flip_byte(scratch.path + "/album/cd/one", 40'000);  // piece 1
  for (const Kind kind : {Kind::kV1, Kind::kV2, Kind::kHybrid}) {
    const Made made = make_torrent(kind, 32_KiB, files());
    Host host;
    REQUIRE(host.start().ok());
    host.open(kA, made);
    CHECK(host.store->leaves(kA, {BlockIndex(0), BlockIndex(1)}).empty());
    add_source(host, made, scratch.path);
    for (std::int32_t b = 0; b < made.layout->block_count(); ++b) {
      const auto leaves = host.store->leaves(kA, {BlockIndex(b), BlockIndex(b + 1)});
      const auto data = made.block(BlockIndex(b));
      const bool told = kind != Kind::kV1 && b / 2 != 1 && !data.empty();
      CHECK(leaves == (told ? std::vector<Sha256>{sha256(data)} : std::vector<Sha256>{}));
    }
    CHECK(host.store->leaves(kA, {BlockIndex(0), BlockIndex(4)}).empty());
    CHECK(host.store->leaves(kB, {BlockIndex(0), BlockIndex(1)}).empty());
  }
}

TEST_CASE("leaves are kept of torrents up to 16 GiB and of no larger ones") {
  constexpr Bytes kPiece = 1_MiB;
  const std::vector<Sha256> zeros(64, sha256(Data(16 * 1024)));
  const Sha256 root = wire::merkle_root(zeros, 0, zeros.size(), kDigester);
  const Sha256 filling = wire::filling_hash(6, kDigester);  // of 64 leaves
  for (const bool larger : {false, true}) {
    const std::size_t pieces = (std::size_t{1} << 14) + (larger ? 1 : 0);
    const ScratchDirectory scratch;
    TorrentInfo info;
    info.name = "zeros";
    info.piece_length = kPiece;
    info.total_size = kPiece * static_cast<std::int64_t>(pieces);
    FileEntry file{"zeros", 0_B, info.total_size, false, {}, {}};
    file.piece_layer.assign(pieces, root);
    std::vector<Sha256> layer = file.piece_layer;
    layer.resize(std::bit_ceil(pieces), filling);
    file.pieces_root = wire::merkle_root(layer, 6, layer.size(), kDigester);
    info.files.push_back(file);
    info.v2_hash = Sha256{{1}};
    Made made;
    made.layout = std::make_shared<const Layout>(info);
    made.info = std::make_shared<const TorrentInfo>(info);
    std::ofstream(scratch.path + "/zeros").put(0);
    std::filesystem::resize_file(scratch.path + "/zeros",
                                 static_cast<std::uintmax_t>(info.total_size.count()));  // no data
    Host host;
    REQUIRE(host.start().ok());
    host.open(kA, made);
    bool first = false;
    host.store->add_source(kA, scratch.path, [&](std::int32_t, std::int32_t) { first = true; }, {});
    host.wait(first);
    const auto leaves = host.store->leaves(kA, {BlockIndex(0), BlockIndex(64)});
    CHECK(leaves == (larger ? std::vector<Sha256>{} : zeros));
    host.store->drop(kA);
  }
}
