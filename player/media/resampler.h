// Decoded frames to the PCM of a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "player/media/audio_format.h"

struct AVFrame;

namespace tributary::player {

// What a decoded frame is; samples of more than 16 bits count as float, which holds 24 bits.
AudioFormat format_of(const AVFrame& frame);

// One thread. Converts with FFmpeg's defaults: no dither, and no filter when the rates agree.
class Resampler {
 public:
  Resampler();
  ~Resampler();
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;

  // REQUIRES: output.valid().
  void set_output(const AudioFormat& output);
  const AudioFormat& output() const { return output_; }

  // Appends `count` of the frame's samples, from `first` on. The input's format may change between
  // calls. A frame that cannot be converted gives nothing. REQUIRES: they lie within the frame.
  void append(const AVFrame& frame, int first, int count, std::vector<std::uint8_t>& pcm);
  // Appends what the filter still holds.
  void drain(std::vector<std::uint8_t>& pcm);

 private:
  struct Impl;
  bool configure(const AVFrame& frame);
  void convert(const std::uint8_t** in, int count, std::vector<std::uint8_t>& pcm);

  std::unique_ptr<Impl> impl_;
  AudioFormat output_;
};

}  // namespace tributary::player
