// What PCM looks like on its way to a sink: interleaved, native endianness.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/units.h"

namespace tributary::player {

enum class SampleKind : std::uint8_t {
  kS16,  // signed 16 bits
  kF32,  // float, nominal range [-1, 1]
};

// Highest rate and channel count accepted from a file; the largest rates in use are 768 kHz (DXD)
// and 22.2 sound has 24 channels.
inline constexpr int kMaxSampleRate = 768'000;
inline constexpr int kMaxChannels = 32;

struct AudioFormat {
  SampleKind sample = SampleKind::kS16;
  int rate = 0;                    // frames a second, 1 … kMaxSampleRate
  int channels = 0;                // 1 … kMaxChannels
  std::uint64_t channel_mask = 0;  // speakers as in WAVEFORMATEXTENSIBLE; 0: the usual ones

  int frame_bytes() const { return channels * (sample == SampleKind::kS16 ? 2 : 4); }
  bool valid() const {
    return rate > 0 && rate <= kMaxSampleRate && channels > 0 && channels <= kMaxChannels;
  }
  // How long `frames` frames last, rounded down. REQUIRES: valid().
  Duration time_of(std::int64_t frames) const { return Duration(mul_div(frames, 1'000'000, rate)); }
  // The frame nearest to `time`. REQUIRES: valid() and time >= 0.
  std::int64_t frames_in(Duration time) const {
    return static_cast<std::int64_t>((static_cast<Int128>(time.count()) * rate + 500'000) /
                                     1'000'000);
  }
  friend bool operator==(const AudioFormat&, const AudioFormat&) = default;
};

// Such as "44100 Hz, 2 channels, 16 bit".
std::string to_string(const AudioFormat& format);

}  // namespace tributary::player
