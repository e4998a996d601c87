// Disks that fail, fill up, lie or are shared; and what is evicted.
#include <sys/resource.h>

#include <csignal>

#include "tests/engine/net/store_fixture.h"

using namespace tributary;
using namespace tributary::net;
using namespace tributary::net::test;

namespace {

Made file_torrent(std::uint64_t seed, Bytes size = 100'000_B) {
  return make_torrent(Kind::kV2, 32_KiB, {{"one", noise(size, seed)}}, std::to_string(seed));
}
ByteRange all_of(const Made& made) { return {0_B, made.layout->total_size()}; }

// No file of this process may grow beyond the size while this lives: writes fail with EFBIG, as on
// a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(Bytes size) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = static_cast<rlim_t>(size.count());
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &old_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
};

}  // namespace

TEST_CASE("a second store on one cache directory is refused in one line") {
  const ScratchDirectory scratch;
  Host first(scratch.path);
  REQUIRE(first.start().ok());
  Host second(scratch.path);
  const auto refused = second.start();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message ==
        "cache " + scratch.path + " is in use by another process; choose another --cache");
  first.store.reset();
  CHECK(second.start().ok());
}

TEST_CASE("a directory that cannot be made is logged once, and the store runs without it") {
  const ScratchDirectory scratch;
  std::ofstream(scratch.path + "/file") << "not a directory";
  const Made made = file_torrent(1);
  Host host(scratch.path + "/file/cache");
  REQUIRE(host.start().ok());
  CHECK(host.log.size() == 1);
  host.open(kA, made);
  host.put_all(kA, made);
  host.flush();
  CHECK(*host.read(kA, all_of(made)) == made.space);
  CHECK(host.log.size() == 1);
}

TEST_CASE(
    "without a directory for temporary files the blocks stay in memory, the oldest give way") {
  const Made made = file_torrent(1, 512_KiB);
  Host host;
  host.options.temp_directory = "/nonexistent";
  host.options.memory_limit = 256_KiB;
  REQUIRE(host.start().ok());
  host.open(kA, made);
  CHECK(host.log.empty());  // the file is made with the first block
  host.put(kA, made, {BlockIndex(0), BlockIndex(1)});
  host.flush();
  CHECK(host.log.size() == 1);
  host.put_all(kA, made);
  host.flush();
  CHECK(host.log.size() == 1);
  CHECK(host.lost == std::vector<Lost>{{kA, {BlockIndex(0), BlockIndex(16)}}});
  CHECK(*host.read(kA, {256_KiB, 512_KiB}) == made.range({256_KiB, 512_KiB}));
  CHECK(host.store->stats().in_memory == 256_KiB);
}

TEST_CASE("when the disk is full playback goes on from memory, with one log line") {
  const ScratchDirectory scratch;
  const Made made = file_torrent(1, 512_KiB);
  {
    Host host(scratch.path);
    REQUIRE(host.start().ok());
    host.open(kA, made);
    const FileSizeLimit limit(100'000_B);
    host.put_all(kA, made);
    host.flush();
    CHECK_FALSE(host.store->stats().disk_ok);
    CHECK(host.store->stats().on_disk == 6 * 16_KiB);
    CHECK(*host.read(kA, all_of(made)) == made.space);
    REQUIRE(host.log.size() == 1);
    CHECK(host.log.front().find(scratch.path) != std::string::npos);
    CHECK(host.lost.empty());
  }
  Host host(scratch.path);
  REQUIRE(host.start().ok());
  const Bitfield restored = host.open(kA, made);
  for (int b = restored.find_next(0); b != Bitfield::kNone; b = restored.find_next(b + 1)) {
    const ByteRange range = made.layout->block_range(BlockIndex(b));
    CHECK(*host.read(kA, range) == made.range(range));
  }
  CHECK(restored.find_next(6) == Bitfield::kNone);
}

TEST_CASE("a corrupt index is moved aside with a log line, and nothing of it is believed") {
  const ScratchDirectory scratch;
  const Made made = file_torrent(1);
  {
    Host host(scratch.path);
    REQUIRE(host.start().ok());
    host.open(kA, made);
    host.put_all(kA, made);
    host.close();
  }
  const std::string garbage(20'000, 'x');
  std::ofstream(scratch.path + "/index.sqlite", std::ios::binary) << garbage;
  Host host(scratch.path);
  REQUIRE(host.start().ok());
  CHECK(host.log.size() == 1);
  CHECK(std::filesystem::exists(scratch.path + "/index.sqlite.corrupt"));
  CHECK(data_files(scratch.path).empty());
  CHECK(host.open(kA, made).none());
  host.put_all(kA, made);
  host.close();
  REQUIRE(host.start().ok());
  CHECK(host.open(kA, made).all());
}

TEST_CASE("the least recently used content is evicted, and one in use never is") {
  const ScratchDirectory scratch;
  const Made one = file_torrent(1), two = file_torrent(2), three = file_torrent(3);
  Host host(scratch.path);
  host.options.disk_limit = 250'000_B;
  REQUIRE(host.start().ok());
  const auto fill = [&](TorrentId id, const Made& made) {
    host.open(id, made);
    host.put_all(id, made);
    host.flush();
  };
  fill(TorrentId(1), one);
  fill(TorrentId(2), two);
  host.store->drop(TorrentId(2));
  host.store->drop(TorrentId(1));
  CHECK(host.open(TorrentId(3), one).all());
  fill(TorrentId(4), three);  // 300,000 bytes are too many: two goes
  CHECK(host.store->stats().on_disk == 200'000_B);
  CHECK(host.store->stats().evicted_contents == 1);
  CHECK(data_files(scratch.path).size() == 2);
  fill(TorrentId(5), two);  // all in use now: what does not fit stays in memory
  CHECK(host.store->stats().on_disk <= 250'000_B);
  CHECK(*host.read(TorrentId(5), all_of(two)) == two.space);
  CHECK(*host.read(TorrentId(3), all_of(one)) == one.space);
  CHECK(host.lost.empty());
  host.close();
  host.options.disk_limit = 210'000_B;
  REQUIRE(host.start().ok());
  host.flush();
  CHECK(host.store->stats().on_disk <= 210'000_B);
}

TEST_CASE("the default limit comes from the free disk") {
  Host host;
  host.options.disk_limit = 0_B;
  host.options.default_limit = prefetch::default_cache_limit;
  REQUIRE(host.start().ok());
  CHECK(host.store->stats().disk_limit >= prefetch::kMinCacheSize);
  CHECK(host.store->stats().disk_limit <= prefetch::kMaxCacheSize);
}
