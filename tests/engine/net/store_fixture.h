// What the store's tests share: made-up torrents with true hashes, scratch directories, and a loop.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/net/digests.h"
#include "engine/net/store.h"
#include "engine/net/store_content.h"
#include "engine/wire/merkle.h"
#include "prefetch/eviction.h"

namespace tributary::net::test {

using core::BlockIndex;
using core::BlockRange;
using core::FileEntry;
using core::kBlockSize;
using core::Layout;
using core::TorrentId;
using core::TorrentInfo;
using Data = std::vector<std::uint8_t>;

inline Data noise(Bytes size, std::uint64_t seed) {
  Random random(seed);
  Data out(static_cast<std::size_t>(size.count()));
  for (auto& b : out) b = static_cast<std::uint8_t>(random.next());
  return out;
}

struct ScratchDirectory {
  ScratchDirectory() {
    std::string name = "/tmp/tributary-store-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  std::string path;
};

struct NamedData {
  std::string path;
  Data data;
};

// A torrent with its bytes in torrent space, zeros for padding.
struct Made {
  std::shared_ptr<const TorrentInfo> info;
  std::shared_ptr<const Layout> layout;
  Data space;

  std::span<const std::uint8_t> block(BlockIndex b) const {
    const ByteRange r = layout->block_range(b);
    return std::span(space).subspan(static_cast<std::size_t>(r.begin.count()),
                                    static_cast<std::size_t>(r.size().count()));
  }
  Data range(ByteRange r) const {
    return {space.begin() + r.begin.count(), space.begin() + r.end.count()};
  }
};

enum class Kind { kV1, kV2, kHybrid };

inline void add_v2(FileEntry& file, const Data& data, Bytes piece_length) {
  std::vector<Sha256> leaves;
  const auto block = static_cast<std::size_t>(kBlockSize.count());
  for (std::size_t at = 0; at < data.size(); at += block) {
    leaves.push_back(sha256(std::span(data).subspan(at, std::min(block, data.size() - at))));
  }
  file.pieces_root = wire::merkle_root(leaves, 0, std::bit_ceil(leaves.size()), kDigester);
  const auto width = static_cast<std::size_t>(piece_length / kBlockSize);
  if (leaves.size() <= width) return;
  for (std::size_t at = 0; at < leaves.size(); at += width) {
    file.piece_layer.push_back(wire::merkle_root(
        std::span(leaves).subspan(at, std::min(width, leaves.size() - at)), 0, width, kDigester));
  }
}

inline Made make_torrent(Kind kind, Bytes piece_length, const std::vector<NamedData>& files,
                         const std::string& name = "album") {
  TorrentInfo info;
  info.name = name;
  info.piece_length = piece_length;
  info.multi_file = files.size() > 1;
  Made made;
  const auto at = [&] { return Bytes(static_cast<std::int64_t>(made.space.size())); };
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Bytes over = at() % piece_length;
    if (kind != Kind::kV1 && over > 0_B) {
      const Bytes pad = piece_length - over;
      if (kind == Kind::kHybrid) info.files.push_back({".pad/x", at(), pad, true, {}, {}});
      made.space.resize(made.space.size() + static_cast<std::size_t>(pad.count()));
    }
    FileEntry file{files[i].path, at(), Bytes(static_cast<std::int64_t>(files[i].data.size())),
                   false,         {},   {}};
    if (kind != Kind::kV1) add_v2(file, files[i].data, piece_length);
    info.files.push_back(std::move(file));
    made.space.insert(made.space.end(), files[i].data.begin(), files[i].data.end());
  }
  info.total_size = at();
  const auto bytes_of = [](const std::string& s) {
    return std::span(reinterpret_cast<const std::uint8_t*>(s.data()), s.size());
  };
  if (kind != Kind::kV2) {
    const auto step = static_cast<std::size_t>(piece_length.count());
    for (std::size_t p = 0; p < made.space.size(); p += step) {
      info.piece_hashes.push_back(
          sha1(std::span(made.space).subspan(p, std::min(step, made.space.size() - p))));
    }
    info.v1_hash = sha1(bytes_of(name));
  }
  if (kind != Kind::kV1) info.v2_hash = sha256(bytes_of(name));
  made.layout = std::make_shared<const Layout>(info);
  made.info = std::make_shared<const TorrentInfo>(std::move(info));
  return made;
}

struct Lost {
  TorrentId torrent;
  BlockRange blocks;
  friend bool operator==(const Lost&, const Lost&) = default;
};

// A loop and one store on it. Waits end by events; the limit only ends a broken test.
class Host {
 public:
  static constexpr Duration kGiveUp = 60s;

  explicit Host(std::string cache = "") {
    options.cache_directory = std::move(cache);
    options.temp_directory = "/tmp";
    options.disk_limit = 1024_MiB;
    options.eviction = prefetch::least_recently_used;
    options.log = [this](LogLevel, std::string_view line) { log.emplace_back(line); };
  }
  Result<void> start() {
    auto opened = Store::open(loop, options, [this](TorrentId t, BlockRange b) {
      lost.push_back({t, b});
    });
    if (!opened) return opened.error();
    store = std::move(*opened);
    return {};
  }
  void wait(const bool& done) {
    REQUIRE(loop.run_until([&] { return done; }, kGiveUp));
  }
  Bitfield open(TorrentId id, const Made& made) {
    Bitfield out;
    bool done = false;
    store->open_torrent(id, made.info, made.layout,
                        [&](Bitfield b) { out = std::move(b), done = true; });
    wait(done);
    return out;
  }
  void put(TorrentId id, const Made& made, BlockRange blocks) {
    for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
      if (!made.block(b).empty()) store->put(id, b, made.block(b));
    }
  }
  void put_all(TorrentId id, const Made& made) {
    put(id, made, {BlockIndex(0), BlockIndex(made.layout->block_count())});
  }
  Result<Data> read(TorrentId id, ByteRange range) {
    std::optional<Result<Data>> out;
    bool done = false;
    store->read(id, range, [&](Result<Data> r) { out = std::move(r), done = true; });
    wait(done);
    turn();
    return std::move(*out);
  }
  void flush() {
    bool done = false;
    store->flush([&] { done = true; });
    wait(done);
    turn();
  }
  void turn() {  // lets events posted so far run
    bool done = false;
    loop.post([&] { done = true; });
    wait(done);
  }
  void close() {
    bool done = false;
    store->close([&] { done = true; });
    wait(done);
    store.reset();
  }

  Loop loop;
  StoreOptions options;
  std::vector<std::string> log;
  std::vector<Lost> lost;
  std::unique_ptr<Store> store;
};

inline std::vector<std::string> data_files(const std::string& cache) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(cache + "/data")) {
    out.push_back(entry.path().string());
  }
  return out;
}

inline void flip_byte(const std::string& path, std::int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const int old = file.get();
  file.seekp(at);
  file.put(static_cast<char>(old ^ 1));
}

inline constexpr TorrentId kA{1};
inline constexpr TorrentId kB{2};

}  // namespace tributary::net::test
