// Magnet links (BEP 9, BEP 53): the name of a torrent, and where it may be found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/core/torrent_info.h"

namespace tributary::wire {

// Bytes of a link; browsers and shells take no longer ones gladly.
inline constexpr std::size_t kMaxMagnetLength = 64U << 10;
// "x.pe": peers, the surplus is dropped. As many as a tracker's answer.
inline constexpr std::size_t kMaxMagnetPeers = 50;
// "so": ranges.
inline constexpr std::size_t kMaxMagnetRanges = 4096;

// Files first to last of the torrent's list, padding files counted (BEP 53).
struct FileSpan {
  std::int32_t first = 0;
  std::int32_t last = 0;
  friend bool operator==(const FileSpan&, const FileSpan&) = default;
};

// At least one hash is set; both are for a hybrid.
struct Magnet {
  std::optional<Sha1> v1_hash;        // xt=urn:btih:
  std::optional<Sha256> v2_hash;      // xt=urn:btmh:
  std::string name;                   // dn; for the eyes only
  std::vector<std::string> trackers;  // tr
  std::vector<std::string> edges;     // ws: http and https
  std::vector<HostPort> peers;        // x.pe
  std::vector<FileSpan> selected;     // so; empty: all files
  friend bool operator==(const Magnet&, const Magnet&) = default;

  // As TorrentInfo::info_hashes().
  std::vector<InfoHash> info_hashes() const;
  bool selects(core::FileIndex file) const;
};

// Whether the text says that it is a magnet link.
bool is_magnet(std::string_view text);

// Numbered parameters ("xt.1", "tr.2") count as plain ones; unknown ones, other kinds of xt, and
// web seeds that are not of HTTP are left out, as are trackers, edges and peers beyond the limits
// of metainfo.h and kMaxMagnetPeers. Errors name the parameter: "xt: 39 digits of a v1 hash …".
Result<Magnet> parse_magnet(std::string_view link);

// REQUIRES: a hash. parse_magnet() gives the same back, where it is not over kMaxMagnetLength.
std::string format_magnet(const Magnet& magnet);

// What a torrent's link says of it. REQUIRES: meta is no plain URL's.
Magnet magnet_of(const core::Metainfo& meta);

}  // namespace tributary::wire
