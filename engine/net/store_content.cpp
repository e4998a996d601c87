#include "engine/net/store_content.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

#include "engine/base/check.h"
#include "engine/net/digests.h"
#include "engine/wire/merkle.h"

namespace tributary::net {
namespace {

using core::BlockIndex;
using core::BlockRange;
using core::FileEntry;
using core::kBlockSize;
using core::Layout;
using core::PieceIndex;
using core::TorrentInfo;

class Keyed {
 public:
  explicit Keyed(std::string_view kind) {
    digest_.update({reinterpret_cast<const std::uint8_t*>(kind.data()), kind.size()});
  }
  void add(Bytes value) {
    std::array<std::uint8_t, 8> big_endian;
    auto v = static_cast<std::uint64_t>(value.count());
    for (std::size_t i = 8; i-- > 0; v >>= 8) big_endian[i] = static_cast<std::uint8_t>(v);
    digest_.update(big_endian);
  }
  void add(std::span<const std::uint8_t> bytes) { digest_.update(bytes); }
  std::string key(Bytes length) {
    return digest_.finish().hex() + "-" + std::to_string(length.count());
  }

 private:
  Sha256Digesting digest_;
};

bool holds_data(const FileEntry& file) { return !file.pad && file.length > 0_B; }

bool files_start_pieces(const TorrentInfo& info) {
  return std::all_of(info.files.begin(), info.files.end(), [&](const FileEntry& f) {
    return !holds_data(f) || f.offset % info.piece_length == 0_B;
  });
}

std::int32_t pieces_in(Bytes length, Bytes piece_length) {
  return static_cast<std::int32_t>((length.count() - 1) / piece_length.count() + 1);
}

bool layer_is_proved(const FileEntry& file, Bytes piece_length) {
  if (file.length <= piece_length) return true;
  const auto pieces = static_cast<std::size_t>(pieces_in(file.length, piece_length));
  if (file.piece_layer.size() != pieces) return false;
  return wire::piece_layer_matches(file.piece_layer, *file.pieces_root, piece_length, kDigester);
}

bool stored_by_leaves(const TorrentInfo& info) {
  const Bytes length = info.piece_length;
  if (!info.has_v2() || length < kBlockSize ||
      !std::has_single_bit(static_cast<std::uint64_t>(length.count())) ||
      !files_start_pieces(info)) {
    return false;
  }
  return std::all_of(info.files.begin(), info.files.end(), [&](const FileEntry& f) {
    if (!holds_data(f)) return true;
    return f.pieces_root && (!info.has_v1() || layer_is_proved(f, length));
  });
}

Layout single_file_layout(Bytes length, Bytes piece_length) {
  TorrentInfo info;
  info.piece_length = piece_length;
  info.total_size = length;
  info.files.push_back({"", 0_B, length, false, std::nullopt, {}});
  return Layout(info);
}

ContentShape leaf_content(const FileEntry& file, Bytes piece_length) {
  ContentShape shape{file.pieces_root->hex() + "-" + std::to_string(file.length.count()),
                     single_file_layout(file.length, kBlockSize),
                     false,
                     {},
                     {},
                     {},
                     0};
  if (file.length <= piece_length) {
    shape.roots = {*file.pieces_root};
    shape.blocks_per_root =
        static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(shape.block_count())));
  } else if (layer_is_proved(file, piece_length)) {
    shape.roots = file.piece_layer;
    shape.blocks_per_root = static_cast<std::int32_t>(piece_length / kBlockSize);
  }
  return shape;
}

ContentShape piece_content(const TorrentInfo& info, const Layout& layout, const FileEntry& file) {
  const PieceIndex first = layout.piece_at(file.offset);
  const PieceIndex last = layout.piece_at(file.range().end - 1_B);
  const auto hashes = std::span(info.piece_hashes)
                          .subspan(static_cast<std::size_t>(first.value()),
                                   static_cast<std::size_t>(last - first + 1));
  Keyed keyed("tributary v1 file");
  keyed.add(info.piece_length);
  keyed.add(file.length);
  for (const Sha1& h : hashes) keyed.add(h.bytes);
  return {keyed.key(file.length),
          single_file_layout(file.length, info.piece_length),
          true,
          {hashes.begin(), hashes.end()},
          layout.piece_range(last).end - file.range().end,
          {},
          0};
}

ContentShape whole_torrent(const TorrentInfo& info, const Layout& layout) {
  Keyed keyed("tributary v1 torrent");
  if (info.v1_hash) keyed.add(info.v1_hash->bytes);
  if (info.v2_hash) keyed.add(info.v2_hash->bytes);
  return {keyed.key(info.total_size), layout, true, info.piece_hashes, {}, {}, 0};
}

// Every file that holds data is made of whole pieces that hold nothing else but padding.
bool stored_by_files(const TorrentInfo& info, const Layout& layout) {
  return info.has_v1() && files_start_pieces(info) &&
         info.piece_hashes.size() == static_cast<std::size_t>(layout.piece_count());
}

}  // namespace

std::vector<Placement> place_contents(const TorrentInfo& info, const Layout& layout) {
  const bool leaves = stored_by_leaves(info);
  if (layout.block_count() == 0) return {};
  if (!leaves && !stored_by_files(info, layout)) {
    return {{{BlockIndex(0), BlockIndex(layout.block_count())}, whole_torrent(info, layout)}};
  }
  std::vector<Placement> out;
  for (const FileEntry& file : info.files) {
    if (!holds_data(file)) continue;
    ContentShape shape =
        leaves ? leaf_content(file, info.piece_length) : piece_content(info, layout, file);
    const BlockIndex first = layout.block_of(file.offset);
    out.push_back({{first, first + shape.block_count()}, std::move(shape)});
  }
  return out;
}

bool is_content_key(std::string_view text) {
  constexpr std::size_t kHex = 2 * Sha256::kSize;
  if (text.size() < kHex + 2 || text.size() > kHex + 20 || text[kHex] != '-') return false;
  const auto hex = text.substr(0, kHex);
  const auto length = text.substr(kHex + 1);
  return hex.find_first_not_of("0123456789abcdef") == hex.npos &&
         length.find_first_not_of("0123456789") == length.npos;
}

}  // namespace tributary::net
