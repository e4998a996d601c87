#include "engine/sim/track.h"

#include <algorithm>
#include <span>

#include "engine/base/random.h"
#include "engine/wire/info_dictionary.h"

namespace tributary::sim {
namespace {

// Bytes with no meaning but their inputs.
void make_up(std::span<std::uint8_t> bytes, std::uint64_t seed, std::uint64_t kind,
             std::uint64_t index) {
  Random random(Random::mix(seed) ^ Random::mix(kind << 40 ^ index));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
}

template <class D>
D made_up(std::uint64_t seed, std::uint64_t kind, std::uint64_t index) {
  D digest;
  make_up(digest.bytes, seed, kind, index);
  return digest;
}

constexpr std::uint64_t kLeaf = 1;
constexpr std::uint64_t kPiece = 2;
constexpr std::uint64_t kRoot = 3;
constexpr std::uint64_t kInfo = 4;
constexpr std::uint64_t kInfoBytes = 5;

std::int32_t pieces_in(Bytes size, Bytes piece_length) {
  return static_cast<std::int32_t>((size.count() + piece_length.count() - 1) /
                                   piece_length.count());
}

core::FileEntry make_file(const TrackParams& params, Bytes size, std::uint64_t seed) {
  core::FileEntry file;
  file.path = params.name;
  file.length = size;
  if (!params.v2) return file;
  file.pieces_root = made_up<Sha256>(seed, kRoot, 0);
  const std::int32_t pieces = pieces_in(size, params.piece_length);
  // With one block a piece the piece layer is the leaf layer (BEP 52).
  const std::uint64_t kind = params.piece_length == core::kBlockSize ? kLeaf : kPiece;
  for (std::int32_t i = 0; pieces > 1 && i < pieces; ++i) {
    file.piece_layer.push_back(made_up<Sha256>(seed, kind, static_cast<std::uint64_t>(i)));
  }
  return file;
}

// The bytes of the media before `at` where the rate swings.
Bytes swinging(const TrackParams& params, Duration at) {
  const Duration period = 2 * params.swing;
  const Duration rest = at % period;
  const Duration quiet = std::min(rest, params.swing);
  return at / period * bytes_in(period, params.rate) + bytes_in(quiet, params.rate) / 10 +
         bytes_in(rest - quiet, params.rate) * 19 / 10;
}

// A point each second with a spread of a tenth around the mean rate, as of a variable-rate codec.
std::vector<core::TimeHint> make_points(const TrackParams& params, Bytes size, std::uint64_t seed) {
  if (!params.points.empty()) return params.points;
  std::vector<core::TimeHint> points;
  if (params.swing > Duration::zero()) {
    for (Duration at{}; at < params.duration; at += 1s)
      points.push_back({at, swinging(params, at)});
    return points;
  }
  Random random(Random::mix(seed ^ 0x7135));
  const std::int64_t tenth = bytes_in(1s, params.rate).count() / 10;
  for (Duration at = params.point_every; at < params.duration; at += params.point_every) {
    const std::int64_t shift =
        tenth == 0
            ? 0
            : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(tenth) * 2 + 1)) -
                  tenth;
    points.push_back({at, std::min(bytes_in(at, params.rate) + Bytes(shift), size)});
  }
  return points;
}

core::Metainfo make_metainfo(const TrackParams& params, std::uint64_t seed) {
  const Bytes size = params.size > 0_B ? params.size : bytes_in(params.duration, params.rate);
  core::Metainfo metainfo;
  metainfo.info.name = params.name;
  metainfo.info.piece_length = params.piece_length;
  metainfo.info.total_size = size;
  metainfo.info.is_private = params.is_private;
  metainfo.info.files.push_back(make_file(params, size, seed));
  if (params.v2) {
    metainfo.info.v2_hash = made_up<Sha256>(seed, kInfo, 2);
  } else {
    metainfo.info.v1_hash = made_up<Sha1>(seed, kInfo, 1);
    for (std::int32_t i = 0; i < pieces_in(size, params.piece_length); ++i) {
      metainfo.info.piece_hashes.push_back(
          made_up<Sha1>(seed, kPiece, static_cast<std::uint64_t>(i)));
    }
  }
  metainfo.info_bytes.resize(static_cast<std::size_t>(params.info_size.count()));
  make_up(metainfo.info_bytes, seed, kInfoBytes, 0);
  metainfo.trackers = {{params.tracker}};
  for (const std::string& edge : params.edges) metainfo.edges.push_back(edge + "/" + params.name);
  if (params.hints) {
    metainfo.hints.push_back({params.duration, make_points(params, size, seed)});
  }
  return metainfo;
}

InfoHash short_hash(const core::TorrentInfo& info) {
  const std::uint8_t* bytes =
      info.v1_hash ? info.v1_hash->bytes.data() : info.v2_hash->bytes.data();
  return InfoHash::from({bytes, InfoHash::kSize});
}

}  // namespace

Track::Track(const TrackParams& params, std::uint64_t seed)
    : seed_(seed),
      metainfo_(make_metainfo(params, seed)),
      layout_(metainfo_.info),
      timeline_(core::ByteTimeMap::from_points(layout_.total_size(), params.duration,
                                               make_points(params, layout_.total_size(), seed))),
      info_hash_(short_hash(metainfo_.info)) {}

std::vector<core::LayerSpan> Track::missing_layers() const {
  core::TorrentInfo info = metainfo_.info;
  for (core::FileEntry& file : info.files) file.piece_layer.clear();
  return wire::missing_layers(info);
}

Sha256 Track::leaf(core::BlockIndex block) const {
  // A file of one piece has no piece layer: with one block its root is the leaf.
  if (layout_.block_count() == 1 && metainfo_.info.files[0].pieces_root) {
    return *metainfo_.info.files[0].pieces_root;
  }
  return made_up<Sha256>(seed_, kLeaf, static_cast<std::uint64_t>(block.value()));
}

std::vector<Sha256> Track::leaves(core::PieceIndex piece) const {
  std::vector<Sha256> leaves;
  const core::BlockRange blocks = layout_.blocks_of(piece);
  for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) leaves.push_back(leaf(b));
  return leaves;
}

std::vector<Sha256> Track::serve(const core::HashSpan& span) const {
  const auto per_piece = static_cast<std::uint32_t>(layout_.blocks_per_piece());
  const auto& root = metainfo_.info.files[0].pieces_root;
  if (!root || span.pieces_root != *root || span.base_layer != 0) return {};
  if (span.length == 0 || span.length > 8192 || span.index % per_piece != 0) return {};
  std::vector<Sha256> hashes;
  for (std::uint32_t i = 0; i < span.length; ++i) {
    const std::uint64_t block = std::uint64_t{span.index} + i;
    const bool real = block < static_cast<std::uint64_t>(layout_.block_count());
    // Beyond the file the tree is filled with zeros.
    hashes.push_back(real ? leaf(core::BlockIndex(static_cast<std::int32_t>(block))) : Sha256{});
  }
  hashes.resize(hashes.size() + std::min<std::uint32_t>(span.proof_layers, 64));
  return hashes;
}

}  // namespace tributary::sim
