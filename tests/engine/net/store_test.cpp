#include "engine/net/store.h"

#include <thread>

#include "tests/engine/net/store_fixture.h"

using namespace tributary;
using namespace tributary::net;
using namespace tributary::net::test;

namespace {

const std::vector<NamedData>& two_files() {
  static const std::vector<NamedData> files = {{"one", noise(100'000_B, 1)},
                                               {"two", noise(70'001_B, 2)}};
  return files;
}

ByteRange all_of(const Made& made) { return {0_B, made.layout->total_size()}; }

std::int32_t data_blocks(const Made& made) {
  std::int32_t count = 0;
  for (BlockIndex b(0); b < BlockIndex(made.layout->block_count()); ++b)
    count += !made.block(b).empty();
  return count;
}

}  // namespace

TEST_CASE("what is put reads back, at once and after a restart, in every kind of torrent") {
  for (const Kind kind : {Kind::kV1, Kind::kV2, Kind::kHybrid}) {
    const ScratchDirectory scratch;
    const Made made = make_torrent(kind, 32_KiB, two_files());
    {
      Host host(scratch.path + "/cache");
      REQUIRE(host.start().ok());
      CHECK(host.open(kA, made).none());
      CHECK_FALSE(host.read(kA, all_of(made)).ok());
      host.put_all(kA, made);
      Data hot(made.space.size());
      CHECK(host.store->try_read(kA, all_of(made), hot));
      CHECK(hot == made.space);
      host.close();
    }
    Host host(scratch.path + "/cache");
    REQUIRE(host.start().ok());
    CHECK(host.open(kA, made).count() == data_blocks(made));
    Data cold(made.space.size());
    CHECK_FALSE(host.store->try_read(kA, all_of(made), cold));
    const auto read = host.read(kA, all_of(made));
    REQUIRE(read.ok());
    CHECK(*read == made.space);
    CHECK(*host.read(kA, {99'000_B, 131'072_B + 5_B}) == made.range({99'000_B, 131'072_B + 5_B}));
    CHECK(host.lost.empty());
    CHECK(host.log.empty());
  }
}

TEST_CASE("a peer's span must lie in its piece, and padding in it is zeros") {
  const Made made = make_torrent(Kind::kHybrid, 32_KiB, two_files());
  Host host;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  host.put_all(kA, made);
  const auto ask = [&](std::int32_t piece, Bytes begin, Bytes length) {
    std::optional<Result<Data>> out;
    bool done = false;
    host.store->read(kA, core::BlockSpan{core::PieceIndex(piece), begin, length},
                     [&](Result<Data> r) { out = std::move(r), done = true; });
    host.wait(done);
    return *out;
  };
  CHECK(*ask(3, 0_B, 32_KiB) ==
        made.range({96_KiB, 128_KiB}));  // its last 31,072 bytes are padding
  CHECK(*ask(0, 5_B, 20_KiB) == made.range({5_B, 20_KiB + 5_B}));
  CHECK(ask(0, 0_B, 32_KiB + 1_B).error().code == ErrorCode::kInvalid);
  CHECK(ask(0, 1_B, Bytes(INT64_MAX)).error().code == ErrorCode::kInvalid);
  CHECK(ask(0, Bytes(-1), 4_B).error().code == ErrorCode::kInvalid);
  CHECK(ask(0, 0_B, 0_B).error().code == ErrorCode::kInvalid);
  CHECK(ask(-1, 0_B, 4_B).error().code == ErrorCode::kInvalid);
  CHECK(ask(99, 0_B, 4_B).error().code == ErrorCode::kInvalid);
}

TEST_CASE("the same file in two torrents is stored once") {
  const ScratchDirectory scratch;
  const Made album = make_torrent(Kind::kHybrid, 32_KiB, two_files());
  const Made single = make_torrent(Kind::kV2, 64_KiB, {two_files()[1]}, "single");
  Host host(scratch.path);
  REQUIRE(host.start().ok());
  host.open(kA, album);
  host.put_all(kA, album);
  host.flush();
  CHECK(host.open(kB, single).all());
  CHECK(*host.read(kB, all_of(single)) == single.space);
  host.put_all(kB, single);
  host.flush();
  CHECK(host.store->stats().on_disk == 170'001_B);
  CHECK(data_files(scratch.path).size() == 2);
}

TEST_CASE(
    "a v1 file that starts on a piece boundary is shared, and a torrent with crossing pieces is "
    "not") {
  const NamedData whole{"a", noise(64_KiB, 7)};
  const NamedData tail{"b", noise(20'000_B, 8)};
  const auto keys = [](const Made& made) {
    std::vector<std::string> out;
    for (const Placement& p : place_contents(*made.info, *made.layout)) out.push_back(p.shape.key);
    return out;
  };
  const auto pair = keys(make_torrent(Kind::kV1, 32_KiB, {whole, tail}, "x"));
  const auto alone = keys(make_torrent(Kind::kV1, 32_KiB, {whole}, "y"));
  REQUIRE(pair.size() == 2);
  CHECK(pair[0] == alone.at(0));
  CHECK(keys(make_torrent(Kind::kV1, 32_KiB, {tail, whole}, "z")).size() == 1);
  CHECK(is_content_key(pair[0]));
  CHECK_FALSE(is_content_key("../" + pair[0]));
}

TEST_CASE("a hybrid whose layers do not fold to its root is not filed under that root") {
  const Made honest = make_torrent(Kind::kHybrid, 32_KiB, two_files());
  TorrentInfo lying = *honest.info;
  lying.files[0].piece_layer[1].bytes[0] ^= 1;
  const auto placed = place_contents(lying, *honest.layout);
  CHECK(placed.at(0).shape.by_pieces);
  CHECK(placed[0].shape.key.find(lying.files[0].pieces_root->hex()) == std::string::npos);
}

TEST_CASE("bytes changed on disk between runs are lost, and never delivered") {
  for (const Kind kind : {Kind::kV1, Kind::kV2}) {
    const ScratchDirectory scratch;
    const Made made = make_torrent(kind, 32_KiB, {{"one", noise(100'000_B, 3)}});
    {
      Host host(scratch.path);
      REQUIRE(host.start().ok());
      host.open(kA, made);
      host.put_all(kA, made);
      host.close();
    }
    flip_byte(data_files(scratch.path).at(0), 40'000);  // block 2, piece 1
    Host host(scratch.path);
    REQUIRE(host.start().ok());
    CHECK(host.open(kA, made).all());
    CHECK(*host.read(kA, {0_B, 32_KiB}) == made.range({0_B, 32_KiB}));
    CHECK_FALSE(host.read(kA, {33'000_B, 33'001_B}).ok());
    const std::int32_t end = kind == Kind::kV1 ? 4 : 3;  // v1 can only doubt the piece
    CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(2), BlockIndex(end)}}});
    CHECK(host.store->stats().failed_checks == 1);
    host.put(kA, made, {BlockIndex(2), BlockIndex(end)});
    CHECK(*host.read(kA, all_of(made)) == made.space);
    host.close();
    REQUIRE(host.start().ok());
    CHECK(host.open(kB, made).all());
    CHECK(*host.read(kB, all_of(made)) == made.space);
  }
}

TEST_CASE("a data file that was cut short or removed costs its blocks only") {
  const ScratchDirectory scratch;
  const Made made = make_torrent(Kind::kV2, 32_KiB, {{"one", noise(100'000_B, 3)}});
  {
    Host host(scratch.path);
    REQUIRE(host.start().ok());
    host.open(kA, made);
    host.put_all(kA, made);
    host.close();
  }
  std::filesystem::resize_file(data_files(scratch.path).at(0), 50'000);
  Host host(scratch.path);
  REQUIRE(host.start().ok());
  host.open(kA, made);
  CHECK_FALSE(host.read(kA, all_of(made)).ok());
  CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(3), BlockIndex(7)}}});
  CHECK(*host.read(kA, {0_B, 48_KiB}) == made.range({0_B, 48_KiB}));
}

TEST_CASE(
    "memory stays within its limit whatever is put, and what it no longer holds is read from "
    "disk") {
  for (const bool cached : {false, true}) {
    const ScratchDirectory scratch;
    const Made made = make_torrent(Kind::kV2, 256_KiB, {{"one", noise(4_MiB, 5)}});
    Host host(cached ? scratch.path : "");
    host.options.memory_limit = 256_KiB;
    REQUIRE(host.start().ok());
    host.open(kA, made);
    for (std::int32_t b = 0; b < made.layout->block_count(); ++b) {
      host.put(kA, made, {BlockIndex(b), BlockIndex(b + 1)});
      CHECK(host.store->stats().in_memory <= 256_KiB);
      if (b % 8 == 7) host.flush();
    }
    CHECK(*host.read(kA, all_of(made)) == made.space);
    CHECK(host.store->stats().in_memory <= 256_KiB);
    CHECK(host.lost.empty());
  }
}

TEST_CASE("blocks that come faster than the disk takes them are refused beyond the memory limit") {
  const Made made = make_torrent(Kind::kV2, 256_KiB, {{"one", noise(1_MiB, 5)}});
  Host host;
  host.options.memory_limit = 256_KiB;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  host.put_all(kA, made);  // the loop gets no turn, so nothing is written meanwhile
  CHECK(host.store->stats().in_memory == 256_KiB);
  host.flush();
  CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(16), BlockIndex(64)}}});
  CHECK(*host.read(kA, {0_B, 256_KiB}) == made.range({0_B, 256_KiB}));
}

TEST_CASE(
    "a buffer is held while its block is in memory, and its known leaf is not computed again") {
  const ScratchDirectory scratch;
  const Made made = make_torrent(Kind::kV2, 32_KiB, {{"one", noise(64_KiB, 6)}});
  BufferPool pool;
  {
    Host host(scratch.path);
    REQUIRE(host.start().ok());
    host.open(kA, made);
    for (std::int32_t b = 0; b < 4; ++b) {
      const core::BufferId id = pool.copy(made.block(BlockIndex(b)));
      const Sha256 right = sha256(made.block(BlockIndex(b)));
      // A wrong one shows after the restart that it was taken on trust.
      host.store->put(kA, BlockIndex(b), pool.share(id), b == 3 ? Sha256{{1}} : right);
      pool.release(id);
    }
    CHECK(pool.in_use() == 4);
    CHECK(host.store->pending_writes() == 64_KiB);
    CHECK(*host.read(kA, all_of(made)) == made.space);
    host.close();
  }
  CHECK(pool.in_use() == 0);
  Host host(scratch.path);
  REQUIRE(host.start().ok());
  const Bitfield restored = host.open(kA, made);
  CHECK(restored.test(0));
  CHECK(restored.test(1));
  CHECK_FALSE(restored.test(2));  // its piece does not fold to the root
  CHECK_FALSE(restored.test(3));
  CHECK(*host.read(kA, {0_B, 32_KiB}) == made.range({0_B, 32_KiB}));
}

TEST_CASE("another thread reads through a reader, and is told when the store is gone") {
  const Made made = make_torrent(Kind::kV2, 32_KiB, {{"one", noise(100'000_B, 3)}});
  Host host;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  host.put_all(kA, made);
  const StoreReader reader = host.store->reader();
  bool done = false;
  std::thread thread([&] {
    for (int i = 0; i < 50; ++i) {
      const ByteRange range{Bytes(i * 1000), Bytes(i * 1000 + 40'000)};
      const auto read = reader.read_blocking(kA, range, Host::kGiveUp);
      CHECK((read.ok() && *read == made.range(range)));
    }
    host.loop.post([&] { done = true; });
  });
  host.wait(done);
  thread.join();
  host.store.reset();
  done = false;
  std::thread late([&] {
    CHECK(reader.read_blocking(kA, {0_B, 1_B}, Host::kGiveUp).error().code ==
          ErrorCode::kCancelled);
    host.loop.post([&] { done = true; });
  });
  host.wait(done);
  late.join();
}
