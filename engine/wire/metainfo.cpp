#include "engine/wire/metainfo.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string>

#include "engine/wire/bencode.h"
#include "engine/wire/info_dictionary.h"
#include "engine/wire/merkle.h"
#include "engine/wire/metainfo_files.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

using core::FileEntry;
using core::TorrentInfo;

std::int64_t ceil_div(Bytes a, Bytes b) { return (a + b - 1_B) / b; }

Result<std::string> parse_name(BencodeView info) {
  const BencodeView utf8 = info.find("name.utf-8");
  const auto name = (utf8.exists() ? utf8 : info.find("name")).string();
  if (!name) return metainfo_error("info.name", "missing or no string");
  if (auto sound = check_component(*name, "info.name"); !sound) return sound.error();
  return std::string(*name);
}

// "meta version" is 2 or absent.
Result<bool> parse_is_v2(BencodeView info) {
  const BencodeView version = info.find("meta version");
  if (!version.exists()) return false;
  if (version.integer() == 2) return true;
  return metainfo_error("info.meta version", "not 2, the only one supported",
                        ErrorCode::kUnsupported);
}

Result<Bytes> parse_piece_length(BencodeView info, bool v2) {
  constexpr const char* kKey = "info.piece length";
  const auto length = info.find("piece length").integer();
  if (!length) return metainfo_error(kKey, "missing or no integer");
  if (*length < 1) return metainfo_error(kKey, "less than 1");
  if (Bytes(*length) > kMaxPieceLength) {
    return metainfo_error(kKey, "over the limit of 64 MiB", ErrorCode::kLimit);
  }
  const bool power = std::has_single_bit(static_cast<std::uint64_t>(*length));
  if (v2 && (!power || Bytes(*length) < core::kBlockSize)) {
    return metainfo_error(kKey, "not a power of two of at least 16 KiB, as v2 demands");
  }
  return Bytes(*length);
}

Result<void> check_size(const TorrentInfo& info) {
  if (info.total_size == 0_B) return metainfo_error("info", "the files hold no bytes");
  const std::int64_t pieces = ceil_div(info.total_size, info.piece_length);
  if (pieces > kMaxPieces) {
    return metainfo_error("info.piece length",
                          "gives " + std::to_string(pieces) + " pieces, over the limit of " +
                              std::to_string(kMaxPieces),
                          ErrorCode::kLimit);
  }
  if (pieces * ceil_div(info.piece_length, core::kBlockSize) > kMaxBlocks) {
    return metainfo_error("info", "too many blocks of 16 KiB", ErrorCode::kLimit);
  }
  return {};
}

Result<void> parse_piece_hashes(BencodeView info, TorrentInfo& out) {
  constexpr const char* kKey = "info.pieces";
  const auto pieces = info.find("pieces").string();
  if (!pieces) return metainfo_error(kKey, "no string");
  const std::int64_t want = ceil_div(out.total_size, out.piece_length);
  if (pieces->size() != static_cast<std::uint64_t>(want) * Sha1::kSize) {
    return metainfo_error(kKey, std::to_string(pieces->size()) +
                                    " bytes instead of 20 for each of " + std::to_string(want) +
                                    " pieces");
  }
  for (std::size_t at = 0; at < pieces->size(); at += Sha1::kSize) {
    out.piece_hashes.push_back(Sha1::from(as_octets(pieces->substr(at, Sha1::kSize))));
  }
  return {};
}

using LayerMap = std::map<std::string_view, std::string_view>;

Result<LayerMap> parse_layer_map(BencodeView root) {
  const BencodeView dict = root.find("piece layers");
  if (dict.exists() && !dict.is_dict()) return metainfo_error("piece layers", "no dictionary");
  LayerMap out;
  for (const auto& [key, layer] : dict.entries()) {
    if (!layer.string()) return metainfo_error("piece layers", "holds something else than strings");
    out.emplace(key, *layer.string());
  }
  return out;
}

Result<void> read_layer(FileEntry& file, const LayerMap& layers, Bytes piece_length,
                        const Digester& digester) {
  const std::string what = "of \"" + printable(file.path) + "\" ";
  const auto found = layers.find(as_text(file.pieces_root->bytes));
  if (found == layers.end()) return metainfo_error("piece layers", what + "missing");
  const std::string_view bytes = found->second;
  const auto want = static_cast<std::size_t>(ceil_div(file.length, piece_length));
  if (bytes.size() != want * Sha256::kSize) {
    return metainfo_error("piece layers", what + "has " + std::to_string(bytes.size()) +
                                              " bytes instead of 32 for each of " +
                                              std::to_string(want) + " pieces");
  }
  for (std::size_t at = 0; at < bytes.size(); at += Sha256::kSize) {
    file.piece_layer.push_back(Sha256::from(as_octets(bytes.substr(at, Sha256::kSize))));
  }
  if (!piece_layer_matches(file.piece_layer, *file.pieces_root, piece_length, digester)) {
    return metainfo_error("piece layers", what + "does not add up to the pieces root");
  }
  return {};
}

Result<void> read_layers(BencodeView root, TorrentInfo& info, const Digester& digester) {
  TRIBUTARY_TRY(layers, parse_layer_map(root));
  for (FileEntry& file : info.files) {
    if (!file.pieces_root || file.length <= info.piece_length) continue;
    if (auto done = read_layer(file, layers, info.piece_length, digester); !done) return done;
  }
  return {};
}

Result<void> read_files(BencodeView info, bool v1, bool v2, TorrentInfo& out) {
  if (v1) {
    TRIBUTARY_TRY(files, parse_v1_files(info, out.name, out.piece_length, out.multi_file));
    out.files = std::move(files);
  }
  if (v2) {
    bool multi_file = false;
    TRIBUTARY_TRY(files, parse_v2_files(info, out.name, out.piece_length, multi_file));
    if (v1 && multi_file != out.multi_file) {
      return metainfo_error("info.file tree", "disagrees with v1 on being a single file");
    }
    out.multi_file = multi_file;
    if (v1) {
      auto merged = merge_file_lists(out.files, files, out.piece_length);
      if (!merged) return merged;
    } else {
      out.files = std::move(files);
    }
  }
  out.total_size = out.files.empty() ? 0_B : out.files.back().range().end;
  // v2 implies padding after each file. libtorrent counts it after the last one too, and asks for
  // the last block as long as the padding makes it.
  if (!v1) out.total_size = out.piece_length * ceil_div(out.total_size, out.piece_length);
  return check_distinct(out.files);
}

// All but the piece layers, which are not in it.
Result<TorrentInfo> parse_info(BencodeView info, const Digester& digester) {
  TorrentInfo out;
  TRIBUTARY_TRY(name, parse_name(info));
  out.name = std::move(name);
  TRIBUTARY_TRY(v2, parse_is_v2(info));
  const bool v1 = info.find("pieces").exists();
  if (!v1 && !v2) return metainfo_error("info", "needs \"pieces\" or \"meta version\"");
  TRIBUTARY_TRY(piece_length, parse_piece_length(info, v2));
  out.piece_length = piece_length;
  out.is_private = info.find("private").integer().value_or(0) == 1;
  if (auto done = read_files(info, v1, v2, out); !done) return done.error();
  if (auto done = check_size(out); !done) return done.error();
  if (v1) {
    if (auto done = parse_piece_hashes(info, out); !done) return done.error();
    out.v1_hash = digester.sha1(info.raw());
  }
  if (v2) out.v2_hash = digester.sha256(info.raw());
  return out;
}

void add_tracker(std::vector<std::string>& tier, BencodeView url, std::size_t& room) {
  const std::string_view text = trim(url.string().value_or(""));
  if (text.empty() || text.size() > kMaxUrlLength || room == 0) return;
  tier.emplace_back(text);
  --room;
}

// BEP 12: a non-empty announce-list replaces announce.
std::vector<std::vector<std::string>> parse_trackers(BencodeView root) {
  std::vector<std::vector<std::string>> tiers;
  std::size_t room = kMaxTrackers;
  for (BencodeView list : root.find("announce-list").children()) {
    std::vector<std::string> tier;
    for (BencodeView url : list.children()) add_tracker(tier, url, room);
    if (!tier.empty()) tiers.push_back(std::move(tier));
  }
  if (tiers.empty()) {
    std::vector<std::string> only;
    add_tracker(only, root.find("announce"), room);
    if (!only.empty()) tiers.push_back(std::move(only));
  }
  return tiers;
}

void add_edge(std::vector<std::string>& edges, BencodeView url) {
  const std::string_view text = trim(url.string().value_or(""));
  if (edges.size() >= kMaxEdges || !is_http_url(text)) return;
  if (std::find(edges.begin(), edges.end(), text) == edges.end()) edges.emplace_back(text);
}

std::vector<std::string> parse_edges(BencodeView root) {
  std::vector<std::string> edges;
  const BencodeView list = root.find("url-list");
  if (list.string()) add_edge(edges, list);
  if (list.is_list()) {
    for (BencodeView url : list.children()) add_edge(edges, url);
  }
  return edges;
}

// BEP 5: a list of [host, port].
std::vector<HostPort> parse_dht_nodes(BencodeView root) {
  std::vector<HostPort> nodes;
  for (BencodeView pair : root.find("nodes").children()) {
    if (nodes.size() == kMaxDhtNodes) break;
    HostPort node;
    std::int64_t port = 0;
    int at = 0;
    for (BencodeView part : pair.children()) {
      if (at == 0) node.host = part.string().value_or("");
      if (at == 1) port = part.integer().value_or(0);
      ++at;
    }
    const bool valid = !node.host.empty() && node.host.size() <= kMaxHostLength &&
                       printable(node.host) == node.host && port > 0 && port <= 65535 && at == 2;
    node.port = static_cast<std::uint16_t>(port);
    if (valid) nodes.push_back(std::move(node));
  }
  return nodes;
}

// Milliseconds of a hint; none over 2^40 (34 years), so that sums cannot overflow.
std::optional<Duration> parse_milliseconds(BencodeView value) {
  const auto ms = value.integer();
  if (!ms || *ms < 0 || *ms > std::int64_t{1} << 40) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

core::FileHints parse_file_hints(BencodeView dict, Bytes file_length) {
  core::FileHints hints;
  hints.duration = parse_milliseconds(dict.find("duration_ms")).value_or(Duration::zero());
  std::optional<Duration> time;
  bool is_time = true;
  for (BencodeView number : dict.find("points").children()) {
    if (hints.points.size() >= kMaxHintPoints) break;
    if (is_time) {
      time = parse_milliseconds(number);
    } else {
      const Bytes offset(number.integer().value_or(-1));
      const bool first = hints.points.empty();
      const bool ascends =
          first || (time > hints.points.back().time && offset > hints.points.back().offset);
      if (time && offset >= 0_B && offset <= file_length && ascends) {
        hints.points.push_back({*time, offset});
      }
    }
    is_time = !is_time;
  }
  return hints;
}

// The text lists the hints of real files in order; the result is by FileIndex, pads included.
std::vector<core::FileHints> parse_hints(BencodeView root, const std::vector<FileEntry>& files) {
  std::vector<core::FileHints> out;
  const BencodeView list = root.find("tributary").find("hints");
  if (!list.is_list()) return out;
  std::size_t file = 0;
  for (BencodeView item : list.children()) {
    while (file < files.size() && files[file].pad) ++file;
    if (file == files.size()) break;
    out.resize(file + 1);
    out[file] = parse_file_hints(item, files[file].length);
    ++file;
  }
  return out;
}

}  // namespace

Result<core::Metainfo> parse_info_dictionary(Octets info, const Digester& digester) {
  BencodeLimits limits;
  limits.max_size = static_cast<std::size_t>(kMaxMetainfoSize.count());
  TRIBUTARY_TRY(document, decode_bencode(info, limits));
  if (!document.root().is_dict()) return metainfo_error("info", "no dictionary");
  core::Metainfo out;
  TRIBUTARY_TRY(parsed, parse_info(document.root(), digester));
  out.info = std::move(parsed);
  out.info_bytes.assign(info.begin(), info.end());
  return out;
}

Result<core::Metainfo> parse_metainfo(Octets torrent, const Digester& digester) {
  BencodeLimits limits;
  limits.max_size = static_cast<std::size_t>(kMaxMetainfoSize.count());
  TRIBUTARY_TRY(document, decode_bencode(torrent, limits));
  const BencodeView root = document.root();
  if (!root.is_dict()) return invalid("not a torrent: no dictionary");
  const BencodeView info = root.find("info");
  if (!info.is_dict()) return metainfo_error("info", "missing or no dictionary");
  core::Metainfo out;
  TRIBUTARY_TRY(parsed, parse_info(info, digester));
  out.info = std::move(parsed);
  if (out.info.has_v2()) {
    if (auto done = read_layers(root, out.info, digester); !done) return done.error();
  }
  out.trackers = parse_trackers(root);
  out.edges = parse_edges(root);
  out.dht_nodes = parse_dht_nodes(root);
  out.hints = parse_hints(root, out.info.files);
  out.info_bytes.assign(info.raw().begin(), info.raw().end());
  return out;
}

}  // namespace tributary::wire
