// Opens a media file over a blocking source and hands out its packets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/core/torrent_info.h"
#include "player/media/audio_format.h"
#include "player/media/avio_source.h"
#include "player/media/byte_source.h"
#include "player/media/container.h"
#include "player/media/media_index.h"

struct AVFormatContext;
struct AVPacket;
struct AVStream;

namespace tributary::player {

struct MediaInfo {
  std::string container;  // FFmpeg's name, such as "ogg"
  std::string codec;      // of the audio stream, or of the video stream of a silent film
  AudioFormat audio;      // as the file declares it; not valid() without audio
  Duration duration{};    // zero: not known yet
  bool has_audio = false;
  bool has_video = false;
  bool index_last = false;  // the index stands behind the media: fetch the file's tail first
  ByteRange index{};        // MP4: where the index is; empty otherwise
  Bytes size;
};

struct OpenOptions {
  // False: for play from the start; no byte is read but those before the first packets. True: for a
  // seek, where the formats that keep an index or their duration at the end read that too.
  bool for_seek = false;
  // Known points of this file, or null. They make the duration known and spare a seek its search.
  // Wrong ones can make a seek in an MP3 land beside its time. Read during open() only.
  const core::FileHints* hints = nullptr;
};

// One thread. Times count from the first sound (or picture, in a silent film) of the file.
class Demuxer {
 public:
  // Blocks on the source, which must outlive the demuxer. Errors: kCancelled, kIo, and kUnsupported
  // or kInvalid for a file without anything to play.
  static Result<std::unique_ptr<Demuxer>> open(ByteSource& source, const OpenOptions& options);
  ~Demuxer();
  Demuxer(const Demuxer&) = delete;
  Demuxer& operator=(const Demuxer&) = delete;

  const MediaInfo& info() const { return info_; }

  // The next audio or video packet; false at the end, which is also where a truncated file ends.
  // Errors: those of the source.
  Result<bool> read(AVPacket& packet);

  // The stream that is played: audio, or video in a silent film.
  AVStream* main_stream() const;
  bool is_main(const AVPacket& packet) const;
  // When the packet plays. A packet without a time stamp gives the last known time.
  Duration time_of(const AVPacket& packet) const;
  // A time stamp of the main stream as the number of a frame at `rate` frames a second.
  std::int64_t frame_of(std::int64_t stamp, int rate) const;

  // Moves to a packet before `time`, with a run-up for the decoder. False when that is the start of
  // the file, where the demuxer stands already. REQUIRES: nothing was read. Errors: kInvalid for a
  // file that cannot seek, or the source's.
  Result<bool> seek(Duration time);

  // From the sample tables where the file has them, else from the packets read so far.
  core::FileHints hints() const;
  std::int64_t video_packets() const { return video_packets_; }

 private:
  struct Impl;
  Demuxer(ByteSource& source, const ContainerLayout& layout);

  Result<void> open_streams(const OpenOptions& options);
  Result<void> open_context(bool seekable);
  Result<void> choose_streams();
  void fill_info(const core::FileHints* hints);
  void note_tables();
  void add_seek_points(const core::FileHints& hints);
  Error failure(int code, const char* what) const;

  ByteSource& source_;
  const ContainerLayout layout_;
  std::unique_ptr<Impl> impl_;
  MediaInfo info_;
  MediaIndex index_;
  bool has_tables_ = false;      // index_ is complete
  Duration first_seek_point_{};  // before it no seek is needed; the points are about a second apart
  std::int64_t origin_ = 0;      // the main stream's stamp of time zero
  std::int64_t video_packets_ = 0;
  mutable Duration last_time_{};
};

}  // namespace tributary::player
