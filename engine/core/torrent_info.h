// What a torrent is: names, layout, hashes. Values only; parsing is in engine/wire/metainfo.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::core {

// One file of a torrent. Offsets are in torrent space: the concatenation of all files, with the
// padding (BEP 47) that aligns v2 and hybrid files to pieces.
struct FileEntry {
  std::string path;  // components joined with '/', without the torrent's name; safe (no "..")
  Bytes offset;
  Bytes length;
  bool pad = false;                   // explicit v1 padding; never requested, stored or fetched
  std::optional<Sha256> pieces_root;  // v2 (BEP 52); none for an empty file or a v1 torrent
  // v2: the SHA-256 root of each piece. Empty when the file fits one piece: then the root covers
  // it.
  std::vector<Sha256> piece_layer;

  ByteRange range() const { return {offset, offset + length}; }
};

struct TorrentInfo {
  std::string name;
  Bytes piece_length;              // > 0
  Bytes total_size;                // end of torrent space, padding included
  bool multi_file = false;         // false: the torrent is one file and its path is the name
  bool is_private = false;         // BEP 27
  std::vector<FileEntry> files;    // in torrent-space order, pads included
  std::vector<Sha1> piece_hashes;  // v1; empty in a v2-only torrent
  std::optional<Sha1> v1_hash;     // info-hash
  std::optional<Sha256> v2_hash;   // info-hash
  // At least one of the two is set.

  bool has_v1() const { return v1_hash.has_value(); }
  bool has_v2() const { return v2_hash.has_value(); }
  // What the swarm is called on the wire: a hybrid has two names, v1 first.
  std::vector<InfoHash> info_hashes() const {
    std::vector<InfoHash> hashes;
    if (has_v1()) hashes.push_back(InfoHash::from(v1_hash->bytes));
    if (has_v2()) hashes.push_back(InfoHash::from(std::span(v2_hash->bytes).first(20)));
    return hashes;
  }
  // Whether it is one of these.
  bool is_called(const InfoHash& hash) const {
    return (has_v1() && hash == InfoHash::from(v1_hash->bytes)) ||
           (has_v2() && hash == InfoHash::from(std::span(v2_hash->bytes).first(20)));
  }
};

// A known point of the byte↔time relation of one file: media time `time` starts at file offset
// `offset`.
struct TimeHint {
  Duration time;
  Bytes offset;
  friend bool operator==(const TimeHint&, const TimeHint&) = default;
};

// Playback hints that `publish` writes beside the info dictionary, so that deadlines are known
// before the first media byte. Hints are advice: a lying one costs efficiency, never correctness.
struct FileHints {
  Duration duration{};           // zero: unknown
  std::vector<TimeHint> points;  // ascending in both
  friend bool operator==(const FileHints&, const FileHints&) = default;
};

// A whole .torrent: the hybrid track's manifest.
struct Metainfo {
  TorrentInfo info;
  std::vector<std::vector<std::string>> trackers;  // tiers (BEP 12)
  std::vector<std::string> edges;                  // url-list (BEP 19)
  std::vector<HostPort> dht_nodes;                 // to join the DHT through (BEP 5)
  std::vector<FileHints> hints;                    // by FileIndex; may be shorter than files
  std::vector<std::uint8_t> info_bytes;            // the info dictionary as read
};

}  // namespace tributary::core
