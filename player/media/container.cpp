#include "player/media/container.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>

namespace tributary::player {
namespace {

// Boxes are few at the top level, but a fragmented file has two a fragment; the tables come before
// those, so a file that hides them behind more boxes is opened without the shortcut.
constexpr int kMaxBoxes = 64;
// Some taggers put a new tag in front of the old one.
constexpr int kMaxTags = 4;

using Head = std::array<std::uint8_t, 16>;

// Short only at the end of the file; the rest is zero.
Result<Head> read_head(ByteSource& source, Bytes at) {
  Head head{};
  std::size_t have = 0;
  while (have < head.size() && at + Bytes(static_cast<std::int64_t>(have)) < source.size()) {
    TRIBUTARY_TRY(got, source.read(at + Bytes(static_cast<std::int64_t>(have)),
                                   std::span(head).subspan(have)));
    if (got <= 0_B) break;
    have += static_cast<std::size_t>(got.count());
  }
  return head;
}

std::uint64_t big_endian(const std::uint8_t* p, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | p[i];
  return value;
}

struct Box {
  std::string_view type;
  Bytes size;
};

// None when the size is nonsense. `head` must outlive the box.
std::optional<Box> parse_box(const Head& head, Bytes rest) {
  std::uint64_t size = big_endian(head.data(), 4);
  if (size == 1) size = big_endian(head.data() + 8, 8);
  if (size == 0) size = static_cast<std::uint64_t>(rest.count());  // to the end of the file
  if (size < 8 || size > static_cast<std::uint64_t>(rest.count())) return std::nullopt;
  return Box{{reinterpret_cast<const char*>(head.data()) + 4, 4},
             Bytes(static_cast<std::int64_t>(size))};
}

bool is_mp4_head(const Head& head) {
  static constexpr std::array<std::string_view, 6> kFirst = {"ftyp", "moov", "mdat",
                                                             "free", "skip", "wide"};
  const std::string_view type(reinterpret_cast<const char*>(head.data()) + 4, 4);
  return std::find(kFirst.begin(), kFirst.end(), type) != kFirst.end();
}

bool is_searchable_head(const Head& head) {
  const bool has_sync = head[0] == 0xff && (head[1] & 0xe0) == 0xe0;  // ISO/IEC 11172-3, 13818-7
  return has_sync || std::memcmp(head.data(), "OggS", 4) == 0 ||
         std::memcmp(head.data(), "fLaC", 4) == 0;
}

// The whole tag's size, or zero when there is none.
Bytes id3_size(const Head& h) {
  if (std::memcmp(h.data(), "ID3", 3) != 0 || h[3] == 0xff || h[4] == 0xff) return 0_B;
  std::int64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) {
    if (h[i] & 0x80) return 0_B;
    size = size << 7 | h[i];
  }
  const bool has_footer = (h[5] & 0x10) != 0;
  return Bytes(size + (has_footer ? 20 : 10));
}

Result<void> find_index(ByteSource& source, ContainerLayout& layout) {
  Bytes at = layout.media_begin;
  bool media_seen = false;
  for (int i = 0; i < kMaxBoxes && at < source.size(); ++i) {
    TRIBUTARY_TRY(head, read_head(source, at));
    const std::optional<Box> box = parse_box(head, source.size() - at);
    if (!box) return {};
    if (box->type == "moov") {
      layout.index = {at, at + box->size};
      layout.index_last = media_seen;
    }
    const bool is_filler = box->type == "free" || box->type == "skip" || box->type == "moov";
    if (!layout.index.empty() && !is_filler) {
      layout.is_fragmented = !media_seen && box->type != "mdat";
      return {};
    }
    if (layout.index_last) return {};
    media_seen = media_seen || box->type == "mdat";
    at += box->size;
  }
  return {};
}

}  // namespace

Result<ContainerLayout> inspect_container(ByteSource& source) {
  ContainerLayout layout;
  Head head{};
  for (int tags = 0; tags <= kMaxTags; ++tags) {
    TRIBUTARY_TRY(next, read_head(source, layout.media_begin));
    head = next;
    const Bytes tag = id3_size(head);
    if (tag == 0_B || layout.media_begin + tag >= source.size()) break;
    layout.media_begin += tag;
  }
  layout.is_mp4 = is_mp4_head(head);
  layout.is_searchable = is_searchable_head(head);
  layout.is_wave = std::memcmp(head.data() + 8, "WAVE", 4) == 0;
  if (layout.is_mp4) {
    if (Result<void> r = find_index(source, layout); !r) return r.error();
  }
  return layout;
}

}  // namespace tributary::player
