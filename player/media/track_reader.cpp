#include "player/media/track_reader.h"

#include <algorithm>

#include "player/media/ffmpeg.h"
#include "player/media/resampler.h"

namespace tributary::player {
namespace {

// What a film without sound plays as.
constexpr AudioFormat kSilence{SampleKind::kS16, 48'000, 2, 0};
// Silence given out at once; also bounds the memory for it.
constexpr Duration kSilentBlock = 100ms;
// A picture that stands longer is taken for a broken time stamp.
constexpr Duration kLongestPicture = std::chrono::seconds(30);

}  // namespace

struct TrackReader::Codec {
  AvPtr<AVPacket> packet{ff::av_packet_alloc()};
  AvPtr<AVFrame> frame{ff::av_frame_alloc()};
  AvPtr<AVCodecContext> decoder;  // none in a silent film
  Resampler resampler;
  Duration pictures_until{};  // silent film: the end of the latest picture read
};

TrackReader::TrackReader(std::unique_ptr<Demuxer> demuxer, const Options& options)
    : demuxer_(std::move(demuxer)),
      codec_(std::make_unique<Codec>()),
      start_(std::max(options.start, Duration::zero())),
      stop_(options.stop),
      is_placed_(start_ == Duration::zero()) {}

TrackReader::~TrackReader() = default;

Result<std::unique_ptr<TrackReader>> TrackReader::open(ByteSource& source, const Options& options) {
  const bool is_seek = options.start > Duration::zero();
  TRIBUTARY_TRY(demuxer, Demuxer::open(source, {is_seek, options.hints}));
  std::unique_ptr<TrackReader> reader(new TrackReader(std::move(demuxer), options));
  if (is_seek) {
    TRIBUTARY_TRY(moved, reader->demuxer_->seek(options.start));
    reader->is_placed_ = !moved;
  }
  if (reader->info().has_audio) {
    if (Result<void> r = reader->open_decoder(); !r) return r.error();
    if (Result<void> r = reader->decode_first_frame(); !r) return r.error();
  }
  reader->set_output(reader->native_format());
  return reader;
}

Result<void> TrackReader::open_decoder() {
  const AVStream* s = demuxer_->main_stream();
  const AVCodec* codec = ff::avcodec_find_decoder(s->codecpar->codec_id);
  if (!codec) {
    return Error{ErrorCode::kUnsupported, "no decoder for " + info().codec + " in this FFmpeg"};
  }
  codec_->decoder.reset(ff::avcodec_alloc_context3(codec));
  AVCodecContext* d = codec_->decoder.get();
  TRIBUTARY_CHECK(d != nullptr);
  int code = ff::avcodec_parameters_to_context(d, s->codecpar);
  d->pkt_timebase = s->time_base;  // trimming is counted in it
  d->thread_count = 1;
  if (code >= 0) code = ff::avcodec_open2(d, codec, nullptr);
  if (code < 0) return invalid("cannot decode " + info().codec + ": " + av_message(code));
  return {};
}

// The stream's header may be wrong about the rate (HE-AAC) or silent about the layout.
Result<void> TrackReader::decode_first_frame() {
  TRIBUTARY_TRY(got, receive_frame());
  if (!got && start_ == Duration::zero()) {
    return Error{ErrorCode::kUnsupported, "no sound could be decoded: the file is damaged"};
  }
  if (got && !format_of(*codec_->frame).valid()) {
    return Error{ErrorCode::kUnsupported, "the sound's rate or channel count is out of range"};
  }
  return {};
}

AudioFormat TrackReader::native_format() const {
  if (!info().has_audio) return kSilence;
  if (has_frame_) return format_of(*codec_->frame);
  return info().audio.valid() ? info().audio : kSilence;
}

void TrackReader::set_output(const AudioFormat& format) {
  output_ = format;
  codec_->resampler.set_output(format);
}

Result<PcmBlock> TrackReader::next() { return info().has_audio ? next_sound() : next_silence(); }

Result<PcmBlock> TrackReader::next_sound() {
  pcm_.clear();
  while (pcm_.empty()) {
    if (!has_frame_ && !ended_) {
      TRIBUTARY_TRY(got, receive_frame());
      if (!got) codec_->resampler.drain(pcm_);
    }
    if (!has_frame_) break;
    append_frame();
    if (ended_) codec_->resampler.drain(pcm_);
  }
  return take_block();
}

// Sets has_frame_, or ended_ at the end of the stream.
Result<bool> TrackReader::receive_frame() {
  AVCodecContext* d = codec_->decoder.get();
  for (;;) {
    const int code = ff::avcodec_receive_frame(d, codec_->frame.get());
    if (code == AVERROR(EAGAIN)) {
      if (Result<void> r = feed_decoder(); !r) return r.error();
      continue;
    }
    has_frame_ = code >= 0;
    ended_ = code == AVERROR_EOF;
    if (has_frame_ || ended_) return has_frame_;
    // A damaged packet: the next one may be whole. Each turn uses up a packet.
    if (Result<void> r = feed_decoder(); !r) return r.error();
  }
}

// One packet, or the end of the stream, into the decoder.
Result<void> TrackReader::feed_decoder() {
  AVPacket* packet = codec_->packet.get();
  for (;;) {
    TRIBUTARY_TRY(more, demuxer_->read(*packet));
    if (!more) {
      ff::avcodec_send_packet(codec_->decoder.get(), nullptr);
      return {};
    }
    const bool is_sound = demuxer_->is_main(*packet);
    if (is_sound) ff::avcodec_send_packet(codec_->decoder.get(), packet);
    ff::av_packet_unref(packet);
    if (is_sound) return {};
  }
}

// Converts what of the decoded frame lies between start and stop.
void TrackReader::append_frame() {
  const AVFrame& frame = *codec_->frame;
  has_frame_ = false;
  const AudioFormat format = format_of(frame);
  if (!format.valid()) return;
  if (!is_placed_ && frame.pts != AV_NOPTS_VALUE) {
    source_frame_ = demuxer_->frame_of(frame.pts, format.rate);
  }
  is_placed_ = true;
  const std::int64_t begin = source_frame_;
  const std::int64_t end = begin + frame.nb_samples;
  source_frame_ = end;
  const std::int64_t first = std::max(begin, format.frames_in(start_));
  const std::int64_t last =
      stop_ == kPlayToEnd ? end : std::min(end, format.frames_in(std::max(stop_, start_)));
  if (stop_ != kPlayToEnd && last < end) ended_ = true;
  if (first >= last) return;
  if (!first_time_) first_time_ = format.time_of(first);
  codec_->resampler.append(frame, static_cast<int>(first - begin), static_cast<int>(last - first),
                           pcm_);
}

Result<PcmBlock> TrackReader::next_silence() {
  pcm_.clear();
  AVPacket* packet = codec_->packet.get();
  if (!first_time_) first_time_ = start_;
  const Duration given = output_.time_of(given_frames_) + *first_time_;
  while (!ended_ && codec_->pictures_until <= given) {
    TRIBUTARY_TRY(more, demuxer_->read(*packet));
    ended_ = !more;
    if (!more) break;
    const AVRational unit = demuxer_->main_stream()->time_base;
    const Duration end = demuxer_->time_of(*packet) + to_duration(packet->duration, unit);
    const Duration limit = std::max(codec_->pictures_until, given) + kLongestPicture;
    codec_->pictures_until = std::max(codec_->pictures_until, std::min(end, limit));
    ff::av_packet_unref(packet);
  }
  const Duration until = std::min({codec_->pictures_until, stop_, given + kSilentBlock});
  if (until > given) {
    const std::int64_t frames = output_.frames_in(until - *first_time_) - given_frames_;
    pcm_.assign(static_cast<std::size_t>(std::max<std::int64_t>(frames, 0) * output_.frame_bytes()),
                0);
  }
  return take_block();
}

PcmBlock TrackReader::take_block() {
  const Duration time = first_time_.value_or(start_) + output_.time_of(given_frames_);
  given_frames_ += static_cast<std::int64_t>(pcm_.size()) / output_.frame_bytes();
  return {pcm_, time};
}

}  // namespace tributary::player
