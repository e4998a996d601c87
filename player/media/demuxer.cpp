#include "player/media/demuxer.h"

#include <algorithm>
#include <utility>

#include "player/media/ffmpeg.h"

namespace tributary::player {
namespace {

// Formats that are files of their own. Playlists and subtitle formats stay out: they would make
// FFmpeg open what a hostile file names.
constexpr const char* kFormats =
    "ogg,mp3,flac,mov,mp4,m4a,matroska,webm,wav,w64,aiff,aac,avi,mpegts,mpeg,mpegvideo,asf,flv,au,"
    "caf,ac3,eac3,dts,ape,wv,tta,amr,tak,mpc,mpc8,dsf,h264,hevc,ivf,m4v";
// Bytes that may be looked at to tell the format. Real formats show within a few KiB.
constexpr int kFormatProbeBytes = 64 * 1024;
// Bytes and time that may be read to learn the streams' parameters; reading stops as soon as they
// are known, which for audio is after a packet. Bounds what a file without parameters costs.
constexpr std::int64_t kStreamProbeBytes = 512 * 1024;
constexpr std::int64_t kStreamProbeMicroseconds = 2'000'000;
// PCM packets of 4 KiB looked at for DTS in disguise; FFmpeg's default would read 10 MB.
constexpr int kWaveProbePackets = 8;
// PCM's parameters stand in the header, yet FFmpeg would read half a second.
constexpr std::int64_t kWaveProbeMicroseconds = 50'000;
// Streams in one file; films have fewer than 50.
constexpr int kMaxStreams = 128;
// Decoders that hear what came before need a run-up: MP3's bit reservoir spans up to 9 frames, Opus
// asks for 80 ms (RFC 7845 §4.6).
constexpr Duration kPreroll = 400ms;

int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EACCES);
}

bool is_playable_video(const AVStream* s) {
  return s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         !(s->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE));
}

AudioFormat declared_format(const AVCodecParameters& p) {
  AudioFormat f;
  f.sample = p.format == AV_SAMPLE_FMT_S16 || p.format == AV_SAMPLE_FMT_S16P ? SampleKind::kS16
                                                                             : SampleKind::kF32;
  f.rate = p.sample_rate;
  f.channels = p.ch_layout.nb_channels;
  f.channel_mask = p.ch_layout.order == AV_CHANNEL_ORDER_NATIVE ? p.ch_layout.u.mask : 0;
  return f;
}

}  // namespace

struct Demuxer::Impl {
  std::unique_ptr<AvioSource> io;  // outlives the context that reads it
  AvPtr<AVFormatContext> context;
  int main = -1;
  int video = -1;
};

Demuxer::Demuxer(ByteSource& source, const ContainerLayout& layout)
    : source_(source), layout_(layout), impl_(std::make_unique<Impl>()) {}

Demuxer::~Demuxer() = default;

Result<std::unique_ptr<Demuxer>> Demuxer::open(ByteSource& source, const OpenOptions& options) {
  if (source.size() <= 0_B) return invalid("the file is empty");
  TRIBUTARY_TRY(layout, inspect_container(source));
  // Not before the first bytes are there, for the same reason as PlaybackPipeline::prepare().
  if (auto loaded = load_ffmpeg(); !loaded) return loaded.error();
  std::unique_ptr<Demuxer> demuxer(new Demuxer(source, layout));
  if (Result<void> r = demuxer->open_streams(options); !r) return r.error();
  if (Result<void> r = demuxer->choose_streams(); !r) return r.error();
  demuxer->fill_info(options.hints);
  demuxer->note_tables();
  if (options.for_seek && options.hints) demuxer->add_seek_points(*options.hints);
  return demuxer;
}

Result<void> Demuxer::open_streams(const OpenOptions& options) {
  const bool has_points = options.hints && !options.hints->points.empty();
  // Without leave to jump FFmpeg reads no tags, durations or cues at the tail. An MP4 file needs it
  // when the tables come last; with points at hand, formats that can be searched do without it.
  const bool needs_tail = layout_.is_mp4
                              ? layout_.index.empty() || layout_.index_last ||
                                    (layout_.is_fragmented && options.for_seek)
                              : options.for_seek && !(has_points && layout_.is_searchable);
  const bool is_linear = layout_.is_fragmented && !options.for_seek;
  Result<void> opened = open_context(needs_tail);
  if (!opened && !needs_tail && !impl_->io->error()) opened = open_context(true);
  if (!opened) return opened;
  AVFormatContext* c = impl_->context.get();
  // Plain tables are complete by now, and samples are found by jumping; fragments follow each
  // other.
  if (layout_.is_mp4 && !is_linear) impl_->io->set_seekable(true);
  const int code = ff::avformat_find_stream_info(c, nullptr);
  if (!is_linear) impl_->io->set_seekable(true);
  if (code < 0) return failure(code, "cannot read the streams");
  return {};
}

Result<void> Demuxer::open_context(bool seekable) {
  impl_->context.reset();
  impl_->io = std::make_unique<AvioSource>(source_, layout_.media_begin);
  impl_->io->set_seekable(seekable);
  AVFormatContext* c = ff::avformat_alloc_context();
  TRIBUTARY_CHECK(c != nullptr);
  c->pb = impl_->io->context();
  c->io_open = &refuse_open;
  c->format_probesize = kFormatProbeBytes;
  c->probesize = kStreamProbeBytes;
  c->max_analyze_duration = kStreamProbeMicroseconds;
  c->max_streams = kMaxStreams;
  if (layout_.is_wave) {
    c->max_probe_packets = kWaveProbePackets;
    c->max_analyze_duration = kWaveProbeMicroseconds;
  }
  c->format_whitelist = ff::av_strdup(kFormats);
  const int code = ff::avformat_open_input(&c, nullptr, nullptr, nullptr);  // frees c on failure
  if (code < 0) return failure(code, "not a media file this player knows");
  impl_->context.reset(c);
  return {};
}

Result<void> Demuxer::choose_streams() {
  AVFormatContext* c = impl_->context.get();
  const int audio = ff::av_find_best_stream(c, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  for (unsigned i = 0; i < c->nb_streams && impl_->video < 0; ++i) {
    if (is_playable_video(c->streams[i])) impl_->video = static_cast<int>(i);
  }
  impl_->main = audio >= 0 ? audio : impl_->video;
  if (impl_->main < 0) {
    return Error{ErrorCode::kUnsupported, "the file holds neither sound nor moving pictures"};
  }
  for (int i = 0; i < static_cast<int>(c->nb_streams); ++i) {
    if (i != impl_->main && i != impl_->video) c->streams[i]->discard = AVDISCARD_ALL;
  }
  info_.has_audio = audio >= 0;
  info_.has_video = impl_->video >= 0;
  const AVStream* s = main_stream();
  if (s->start_time != AV_NOPTS_VALUE) origin_ = s->start_time;
  // Matroska stamps the first packet before zero by the codec's delay, which is not heard.
  if (origin_ < 0 && s->codecpar->initial_padding > 0) origin_ = 0;
  return {};
}

void Demuxer::fill_info(const core::FileHints* hints) {
  const AVFormatContext* c = impl_->context.get();
  const AVStream* s = main_stream();
  info_.container = c->iformat->name;
  info_.codec = ff::avcodec_get_name(s->codecpar->codec_id);
  if (info_.has_audio) info_.audio = declared_format(*s->codecpar);
  info_.index_last = layout_.index_last;
  info_.index = layout_.index;
  info_.size = source_.size();
  if (s->duration > 0) {
    info_.duration = to_duration(s->duration, s->time_base);
  } else if (c->duration > 0) {
    info_.duration = Duration(c->duration);
  } else if (hints && hints->duration > Duration::zero()) {
    info_.duration = hints->duration;
  }
}

// MP4: the tables list every packet. Elsewhere entries are few and of one stream only.
void Demuxer::note_tables() {
  if (!layout_.is_mp4 || layout_.is_fragmented) return;
  AVFormatContext* c = impl_->context.get();
  for (const int i : {impl_->main, impl_->video}) {
    if (i < 0) continue;
    AVStream* s = c->streams[i];
    const int count = ff::avformat_index_get_entries_count(s);
    for (int k = 0; k < count; ++k) {
      const AVIndexEntry* e = ff::avformat_index_get_entry(s, k);
      const Duration skew = to_duration(origin_, main_stream()->time_base);
      index_.note(to_duration(e->timestamp, s->time_base) - skew, Bytes(e->pos));
    }
    has_tables_ = has_tables_ || count > 0;
  }
}

// A binary or a linear search then needs to look no further than between two points.
void Demuxer::add_seek_points(const core::FileHints& hints) {
  AVStream* s = main_stream();
  if (!layout_.is_searchable || info_.has_video) return;
  for (const core::TimeHint& p : hints.points) {
    const Bytes at = p.offset - layout_.media_begin;
    // The first packet may play before time zero, cut off; the demuxer knows where it stands.
    if (at < 0_B || at >= info_.size || p.time <= Duration::zero()) continue;
    if (first_seek_point_ == Duration::zero()) first_seek_point_ = p.time;
    const std::int64_t stamp =
        origin_ + ff::av_rescale_q(p.time.count(), kMicroseconds, s->time_base);
    ff::av_add_index_entry(s, at.count(), stamp, 0, 0, AVINDEX_KEYFRAME);
  }
}

Result<bool> Demuxer::read(AVPacket& packet) {
  for (;;) {
    const int code = ff::av_read_frame(impl_->context.get(), &packet);
    if (impl_->io->error()) return *impl_->io->error();
    if (code < 0) return false;
    const bool is_video = packet.stream_index == impl_->video;
    if (is_video || is_main(packet)) {
      if (is_video) ++video_packets_;
      if (!has_tables_ && packet.pos >= 0) {
        index_.note(time_of(packet), Bytes(packet.pos) + layout_.media_begin);
      }
      return true;
    }
    ff::av_packet_unref(&packet);
  }
}

AVStream* Demuxer::main_stream() const { return impl_->context->streams[impl_->main]; }

bool Demuxer::is_main(const AVPacket& packet) const { return packet.stream_index == impl_->main; }

Duration Demuxer::time_of(const AVPacket& packet) const {
  const std::int64_t stamp = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (stamp == AV_NOPTS_VALUE) return last_time_;
  const AVRational unit = impl_->context->streams[packet.stream_index]->time_base;
  last_time_ = to_duration(stamp, unit) - to_duration(origin_, main_stream()->time_base);
  return last_time_;
}

std::int64_t Demuxer::frame_of(std::int64_t stamp, int rate) const {
  return ff::av_rescale_q(stamp - origin_, main_stream()->time_base, {1, rate});
}

Result<bool> Demuxer::seek(Duration time) {
  AVFormatContext* c = impl_->context.get();
  const Duration target = time - kPreroll;
  if (target <= Duration::zero() || target < first_seek_point_) return false;
  const AVStream* s = main_stream();
  // Matroska's cues list pictures only when there are any.
  const bool by_default_stream = info_.has_video && !layout_.is_mp4;
  const AVRational unit = by_default_stream ? kMicroseconds : s->time_base;
  const std::int64_t stamp = ff::av_rescale_q(target.count(), kMicroseconds, unit) +
                             ff::av_rescale_q(origin_, s->time_base, unit);
  const bool is_guess = info_.codec == "mp3" && ff::avformat_index_get_entries_count(s) < 2;
  if (is_guess) c->flags |= AVFMT_FLAG_FAST_SEEK;
  const int code =
      ff::av_seek_frame(c, by_default_stream ? -1 : impl_->main, stamp, AVSEEK_FLAG_BACKWARD);
  if (code < 0) return failure(code, "cannot seek in this file");
  return true;
}

core::FileHints Demuxer::hints() const { return {info_.duration, index_.points()}; }

Error Demuxer::failure(int code, const char* what) const {
  if (impl_->io && impl_->io->error()) return *impl_->io->error();
  if (code == AVERROR_INVALIDDATA || code == AVERROR_EOF) {
    return {ErrorCode::kUnsupported, std::string(what) + ": no known format, or damaged"};
  }
  return invalid(std::string(what) + ": " + av_message(code));
}

}  // namespace tributary::player
