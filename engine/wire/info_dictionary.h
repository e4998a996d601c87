// A torrent from its info dictionary alone, as peers tell it who follow a magnet link (BEP 9), and
// from the piece layers that they tell besides (BEP 52).
#pragma once

#include <vector>

#include "engine/base/result.h"
#include "engine/core/events.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/digester.h"
#include "engine/wire/magnet.h"

namespace tributary::wire {

// Whether these are the bytes that the link stands for: of a hybrid's link both hashes must agree.
bool is_info_of(const Magnet& magnet, Octets info, const Digester& digester);

// As parse_metainfo() of a .torrent that has nothing else; but v2 files of more than a piece lack
// their layers, see missing_layers().
Result<core::Metainfo> parse_info_dictionary(Octets info, const Digester& digester);

// The layers that parse_info_dictionary() left open, in the order of the files.
std::vector<core::LayerSpan> missing_layers(const core::TorrentInfo& info);

// Whether a peer's part of a layer is true: its hashes and their uncles fold to the file's root at
// layer `height`.
bool is_part_of_layer(const core::Hashes& hashes, std::uint32_t height, const Digester& digester);

// Puts in the layers, which must be those of missing_layers(). Fails where one does not add up to
// its root, and leaves what came before it in.
Result<void> add_layers(core::TorrentInfo& info, const std::vector<std::vector<Sha256>>& layers,
                        const Digester& digester);

// Makes a hybrid a v1 torrent, for want of its layers. REQUIRES: info.has_v1().
void keep_v1_only(core::TorrentInfo& info);

}  // namespace tributary::wire
