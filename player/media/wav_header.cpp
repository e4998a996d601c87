#include "player/media/wav_header.h"

#include <array>
#include <limits>
#include <string_view>

namespace tributary::player {
namespace {

constexpr std::uint16_t kTagPcm = 1;
constexpr std::uint16_t kTagFloat = 3;
constexpr std::uint16_t kTagExtensible = 0xfffe;
constexpr std::uint32_t kSeeRf64 = 0xffff'ffff;
// The GUID of a sub-format after its first two bytes, which hold the tag.
constexpr std::array<std::uint8_t, 14> kGuidTail = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                                    0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};

class Writer {
 public:
  void text(std::string_view s) { bytes.insert(bytes.end(), s.begin(), s.end()); }
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  std::vector<std::uint8_t> bytes;
};

void write_format(Writer& w, const AudioFormat& f) {
  const bool is_float = f.sample == SampleKind::kF32;
  const bool is_extended = f.channels > 2;
  const std::uint16_t tag = is_float ? kTagFloat : kTagPcm;
  const int bits = is_float ? 32 : 16;
  w.text("fmt ");
  w.number(is_extended ? 40 : 16, 4);
  w.number(is_extended ? kTagExtensible : tag, 2);
  w.number(static_cast<std::uint64_t>(f.channels), 2);
  w.number(static_cast<std::uint64_t>(f.rate), 4);
  w.number(static_cast<std::uint64_t>(f.rate) * static_cast<std::uint64_t>(f.frame_bytes()), 4);
  w.number(static_cast<std::uint64_t>(f.frame_bytes()), 2);
  w.number(static_cast<std::uint64_t>(bits), 2);
  if (!is_extended) return;
  w.number(22, 2);
  w.number(static_cast<std::uint64_t>(bits), 2);
  w.number(f.channel_mask, 4);
  w.number(tag, 2);
  for (const std::uint8_t b : kGuidTail) w.number(b, 1);
}

}  // namespace

std::vector<std::uint8_t> wav_header(const AudioFormat& format, Bytes data) {
  constexpr std::uint64_t kSmall = std::numeric_limits<std::uint32_t>::max();
  Writer tail;  // what follows the reserved room
  write_format(tail, format);
  tail.text("fact");
  tail.number(4, 4);
  const auto size = static_cast<std::uint64_t>(data.count());
  const std::uint64_t frames = size / static_cast<std::uint64_t>(format.frame_bytes());
  tail.number(frames < kSmall ? frames : kSmall, 4);
  tail.text("data");
  const std::uint64_t riff = 4 + 36 + tail.bytes.size() + 4 + size + size % 2;
  const bool is_big = riff >= kSmall;
  tail.number(is_big ? kSeeRf64 : size, 4);

  Writer w;
  w.text(is_big ? "RF64" : "RIFF");
  w.number(is_big ? kSeeRf64 : riff, 4);
  w.text("WAVE");
  w.text(is_big ? "ds64" : "JUNK");
  w.number(28, 4);
  w.number(is_big ? riff : 0, 8);
  w.number(is_big ? size : 0, 8);
  w.number(is_big ? frames : 0, 8);
  w.number(0, 4);  // no table of further chunks
  w.bytes.insert(w.bytes.end(), tail.bytes.begin(), tail.bytes.end());
  return w.bytes;
}

}  // namespace tributary::player
