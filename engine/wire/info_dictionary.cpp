#include "engine/wire/info_dictionary.h"

#include <bit>

#include "engine/base/check.h"
#include "engine/wire/merkle.h"
#include "engine/wire/metainfo.h"

namespace tributary::wire {
namespace {

bool lacks_layer(const core::TorrentInfo& info, const core::FileEntry& file) {
  return file.pieces_root && file.length > info.piece_length && file.piece_layer.empty();
}

}  // namespace

bool is_info_of(const Magnet& magnet, Octets info, const Digester& digester) {
  return (!magnet.v1_hash || digester.sha1(info) == *magnet.v1_hash) &&
         (!magnet.v2_hash || digester.sha256(info) == *magnet.v2_hash);
}

std::vector<core::LayerSpan> missing_layers(const core::TorrentInfo& info) {
  std::vector<core::LayerSpan> layers;
  for (const core::FileEntry& file : info.files) {
    if (!lacks_layer(info, file)) continue;
    const auto count =
        static_cast<std::uint32_t>((file.length + info.piece_length - 1_B) / info.piece_length);
    const auto blocks = static_cast<std::uint32_t>(info.piece_length / core::kBlockSize);
    const auto base = static_cast<std::uint32_t>(std::countr_zero(blocks));
    const auto above = static_cast<std::uint32_t>(std::countr_zero(std::bit_ceil(count)));
    layers.push_back({*file.pieces_root, base, base + above, count});
  }
  return layers;
}

bool is_part_of_layer(const core::Hashes& hashes, std::uint32_t height, const Digester& digester) {
  const auto top = fold_hashes(hashes.span, hashes.hashes, digester);
  return top && top->layer == static_cast<int>(height) && top->index == 0 &&
         top->hash == hashes.span.pieces_root;
}

Result<void> add_layers(core::TorrentInfo& info, const std::vector<std::vector<Sha256>>& layers,
                        const Digester& digester) {
  std::size_t next = 0;
  for (core::FileEntry& file : info.files) {
    if (!lacks_layer(info, file)) continue;
    if (next == layers.size()) return invalid("piece layers: one is missing");
    const std::vector<Sha256>& layer = layers[next++];
    const std::int64_t pieces = (file.length + info.piece_length - 1_B) / info.piece_length;
    if (std::ssize(layer) != pieces ||
        !piece_layer_matches(layer, *file.pieces_root, info.piece_length, digester)) {
      return invalid("piece layers: one does not add up to its root");
    }
    file.piece_layer = layer;
  }
  return {};
}

void keep_v1_only(core::TorrentInfo& info) {
  TRIBUTARY_CHECK(info.has_v1());
  info.v2_hash.reset();
  for (core::FileEntry& file : info.files) {
    file.pieces_root.reset();
    file.piece_layer.clear();
  }
}

}  // namespace tributary::wire
