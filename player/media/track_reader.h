// One track as a run of PCM: demuxer, decoder and resampler as one.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "player/media/demuxer.h"

namespace tributary::player {

// A time to stop that no track reaches.
inline constexpr Duration kPlayToEnd = Duration::max();

// PCM in the reader's output format; valid until the reader's next call.
struct PcmBlock {
  std::span<const std::uint8_t> bytes;  // whole frames; empty at the end of the track
  Duration time{};                      // of the first frame, from the start of the media
};

// One thread; blocks on the source. Plays the same samples as `ffmpeg -i FILE out.wav`: encoder
// delay and padding are trimmed. A film without sound gives silence as long as its pictures last.
class TrackReader {
 public:
  struct Options {
    Duration start{};  // exact to the sample, where the container's time stamps are
    Duration stop = kPlayToEnd;
    const core::FileHints* hints = nullptr;
  };

  // Errors: those of Demuxer::open; kUnsupported without a decoder. The source must outlive it.
  static Result<std::unique_ptr<TrackReader>> open(ByteSource& source, const Options& options);
  ~TrackReader();
  TrackReader(const TrackReader&) = delete;
  TrackReader& operator=(const TrackReader&) = delete;

  const MediaInfo& info() const { return demuxer_->info(); }
  core::FileHints hints() const { return demuxer_->hints(); }
  std::int64_t video_packets() const { return demuxer_->video_packets(); }

  // What the samples are without conversion: what a sink is best opened with.
  AudioFormat native_format() const;
  // Where the PCM goes; native_format() by default. Call before next(). REQUIRES: format.valid().
  void set_output(const AudioFormat& format);

  // The next samples. Errors: those of the source. Damaged packets are passed over.
  Result<PcmBlock> next();

 private:
  struct Codec;
  TrackReader(std::unique_ptr<Demuxer> demuxer, const Options& options);

  Result<void> open_decoder();
  Result<void> decode_first_frame();
  Result<PcmBlock> next_sound();
  Result<PcmBlock> next_silence();
  Result<bool> receive_frame();
  Result<void> feed_decoder();
  void append_frame();
  PcmBlock take_block();

  std::unique_ptr<Demuxer> demuxer_;
  std::unique_ptr<Codec> codec_;
  AudioFormat output_;
  const Duration start_;
  const Duration stop_;
  std::int64_t source_frame_ = 0;       // the current decoded frame's number, from the origin
  bool is_placed_ = false;              // source_frame_ is set
  bool has_frame_ = false;              // a decoded frame waits
  bool ended_ = false;                  // nothing more comes out of the decoder
  std::optional<Duration> first_time_;  // of the first sample given out
  std::int64_t given_frames_ = 0;       // in the output's rate
  std::vector<std::uint8_t> pcm_;
};

}  // namespace tributary::player
