// Synthetic tracks: a metainfo without bytes, whose hashes are made up and checked by comparison.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/core/byte_time_map.h"
#include "engine/core/events.h"
#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/core/torrent_info.h"

namespace tributary::sim {

struct TrackParams {
  std::string name = "track";
  Duration duration = 240s;
  BitRate rate = 155_kbps;
  // v2: 16 KiB makes each block verifiable by itself from the metainfo. v1 tracks use larger ones.
  Bytes piece_length = core::kBlockSize;
  bool v2 = true;
  bool is_private = false;  // BEP 27
  bool hints = true;        // duration and points in the metainfo, as `publish` writes them
  Duration point_every = 1s;
  // For so long a tenth of the mean rate, then for as long nineteen tenths. Zero: near the mean.
  Duration swing{};
  // In place of what duration and rate would make. Zero and none: these.
  Bytes size{};
  std::vector<core::TimeHint> points{};
  // Of the info dictionary, which peers then give to those who follow a magnet link (BEP 9). Zero:
  // nobody has it to give.
  Bytes info_size{};
  std::vector<std::string> edges = {"http://cdn.test"};
  std::string tracker = "udp://tracker.test:6969/announce";
};

// One file, one torrent. Immutable. The same parameters and seed give the same track.
class Track {
 public:
  Track(const TrackParams& params, std::uint64_t seed);

  const core::Metainfo& metainfo() const { return metainfo_; }
  const core::Layout& layout() const { return layout_; }
  const core::ByteTimeMap& timeline() const { return timeline_; }
  Bytes size() const { return layout_.total_size(); }
  InfoHash info_hash() const { return info_hash_; }

  // The piece layers that the dictionary leaves out (BEP 52).
  std::vector<core::LayerSpan> missing_layers() const;
  // The true leaf hash of a block (v2).
  Sha256 leaf(core::BlockIndex block) const;
  std::vector<Sha256> leaves(core::PieceIndex piece) const;
  // The answer to a hash request for leaves of whole pieces; nothing for any other.
  std::vector<Sha256> serve(const core::HashSpan& span) const;

 private:
  std::uint64_t seed_;
  core::Metainfo metainfo_;
  core::Layout layout_;
  core::ByteTimeMap timeline_;
  InfoHash info_hash_;
};

}  // namespace tributary::sim
