// A torrent made up for tests: two files whose bytes are a function of a seed.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/base/random.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"
#include "engine/net/digests.h"
#include "engine/wire/merkle.h"

namespace tributary::net {

enum class Versions { kV1, kV2, kHybrid };

struct SampleTorrent {
  std::shared_ptr<core::TorrentInfo> info;
  std::vector<std::uint8_t> bytes;  // torrent space, padding as zeros

  wire::Octets block(core::BlockIndex index) const {
    const ByteRange range = core::Layout(*info).block_range(index);
    return wire::Octets(bytes).subspan(static_cast<std::size_t>(range.begin.count()),
                                       static_cast<std::size_t>(range.size().count()));
  }
};

inline void add_v2_hashes(SampleTorrent& torrent, core::FileEntry& file) {
  std::vector<Sha256> leaves;
  for (Bytes at; at < file.length; at += core::kBlockSize) {
    const Bytes size = std::min(core::kBlockSize, file.length - at);
    leaves.push_back(sha256(wire::Octets(torrent.bytes)
                                .subspan(static_cast<std::size_t>((file.offset + at).count()),
                                         static_cast<std::size_t>(size.count()))));
  }
  auto hashes = wire::hash_file_tree(leaves, torrent.info->piece_length, kDigester);
  file.pieces_root = hashes.pieces_root;
  file.piece_layer = std::move(hashes.piece_layer);
}

inline void add_v1_hashes(SampleTorrent& torrent) {
  const core::Layout layout(*torrent.info);
  for (core::PieceIndex p(0); p.value() < layout.piece_count(); ++p) {
    const ByteRange range = layout.piece_range(p);
    torrent.info->piece_hashes.push_back(
        sha1(wire::Octets(torrent.bytes)
                 .subspan(static_cast<std::size_t>(range.begin.count()),
                          static_cast<std::size_t>(range.size().count()))));
  }
}

// Pieces of 64 KiB; a.bin fills two pieces and most of a third, padding aligns b.bin, which ends
// within its second block.
inline SampleTorrent sample_torrent(Versions versions, std::uint64_t seed = 1) {
  SampleTorrent torrent{std::make_shared<core::TorrentInfo>(), {}};
  core::TorrentInfo& info = *torrent.info;
  info.name = "sample";
  info.multi_file = true;
  info.piece_length = 64_KiB;
  const Bytes a = 64_KiB * 2 + 20_KiB;
  const Bytes b = 17_KiB;
  info.files.push_back({"a.bin", 0_B, a, false, {}, {}});
  info.files.push_back({".pad/1", a, 64_KiB * 3 - a, true, {}, {}});
  info.files.push_back({"b.bin", 64_KiB * 3, b, false, {}, {}});
  info.total_size = 64_KiB * 3 + b;
  Random random(seed);
  torrent.bytes.resize(static_cast<std::size_t>(info.total_size.count()));
  for (const core::FileEntry& file : info.files) {
    for (Bytes at = file.offset; !file.pad && at < file.range().end; at += 1_B) {
      torrent.bytes[static_cast<std::size_t>(at.count())] =
          static_cast<std::uint8_t>(random.next());
    }
  }
  if (versions != Versions::kV1) {
    info.v2_hash = Sha256{};
    for (core::FileEntry& file : info.files) {
      if (!file.pad) add_v2_hashes(torrent, file);
    }
  }
  if (versions != Versions::kV2) {
    info.v1_hash = Sha1{};
    add_v1_hashes(torrent);
  }
  return torrent;
}

}  // namespace tributary::net
