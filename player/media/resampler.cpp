#include "player/media/resampler.h"

#include <array>

#include "engine/base/check.h"
#include "player/media/ffmpeg.h"

namespace tributary::player {
namespace {

AVSampleFormat av_format(SampleKind kind) {
  return kind == SampleKind::kS16 ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_FLT;
}

// Speakers of the format; the usual ones for their number when the mask does not fit.
AVChannelLayout layout_of(int channels, std::uint64_t mask) {
  AVChannelLayout layout{};
  if (mask == 0 || ff::av_channel_layout_from_mask(&layout, mask) < 0 ||
      layout.nb_channels != channels) {
    ff::av_channel_layout_uninit(&layout);
    ff::av_channel_layout_default(&layout, channels);
  }
  return layout;
}

std::uint64_t mask_of(const AVChannelLayout& layout) {
  return layout.order == AV_CHANNEL_ORDER_NATIVE ? layout.u.mask : 0;
}

}  // namespace

AudioFormat format_of(const AVFrame& frame) {
  AudioFormat f;
  const bool is_small = frame.format == AV_SAMPLE_FMT_S16 || frame.format == AV_SAMPLE_FMT_S16P ||
                        frame.format == AV_SAMPLE_FMT_U8 || frame.format == AV_SAMPLE_FMT_U8P;
  f.sample = is_small ? SampleKind::kS16 : SampleKind::kF32;
  f.rate = frame.sample_rate;
  f.channels = frame.ch_layout.nb_channels;
  f.channel_mask = mask_of(frame.ch_layout);
  return f;
}

struct Resampler::Impl {
  AvPtr<SwrContext> swr;
  int in_sample = AV_SAMPLE_FMT_NONE;
  int in_rate = 0;
  int in_channels = 0;
  std::uint64_t in_mask = 0;

  bool matches(const AVFrame& f) const {
    return swr && in_sample == f.format && in_rate == f.sample_rate &&
           in_channels == f.ch_layout.nb_channels && in_mask == mask_of(f.ch_layout);
  }
};

Resampler::Resampler() : impl_(std::make_unique<Impl>()) {}
Resampler::~Resampler() = default;

void Resampler::set_output(const AudioFormat& output) {
  TRIBUTARY_CHECK(output.valid());
  output_ = output;
  impl_->swr.reset();
}

bool Resampler::configure(const AVFrame& frame) {
  impl_->in_sample = frame.format;
  impl_->in_rate = frame.sample_rate;
  impl_->in_channels = frame.ch_layout.nb_channels;
  impl_->in_mask = mask_of(frame.ch_layout);
  AVChannelLayout in = layout_of(impl_->in_channels, impl_->in_mask);
  AVChannelLayout out = layout_of(output_.channels, output_.channel_mask);
  SwrContext* swr = nullptr;
  const int code = ff::swr_alloc_set_opts2(&swr, &out, av_format(output_.sample), output_.rate, &in,
                                           static_cast<AVSampleFormat>(frame.format),
                                           frame.sample_rate, 0, nullptr);
  impl_->swr.reset(swr);
  if (code < 0 || ff::swr_init(swr) < 0) impl_->swr.reset();
  return impl_->swr != nullptr;
}

void Resampler::append(const AVFrame& frame, int first, int count, std::vector<std::uint8_t>& pcm) {
  TRIBUTARY_CHECK(first >= 0 && count >= 0 && first + count <= frame.nb_samples);
  if (!impl_->matches(frame)) {
    drain(pcm);
    if (!format_of(frame).valid() || !configure(frame)) return;
  }
  const auto sample = static_cast<AVSampleFormat>(frame.format);
  const int channels = frame.ch_layout.nb_channels;
  const bool planar = ff::av_sample_fmt_is_planar(sample) != 0;
  const int step = ff::av_get_bytes_per_sample(sample) * (planar ? 1 : channels);
  std::array<const std::uint8_t*, kMaxChannels> in{};
  for (int i = 0; i < (planar ? channels : 1); ++i) {
    in[static_cast<std::size_t>(i)] = frame.extended_data[i] + std::ptrdiff_t{step} * first;
  }
  convert(in.data(), count, pcm);
}

void Resampler::drain(std::vector<std::uint8_t>& pcm) {
  if (impl_->swr) convert(nullptr, 0, pcm);
  impl_->swr.reset();
}

void Resampler::convert(const std::uint8_t** in, int count, std::vector<std::uint8_t>& pcm) {
  const int room = ff::swr_get_out_samples(impl_->swr.get(), count);
  if (room <= 0) return;
  const std::size_t old_size = pcm.size();
  const auto frame_bytes = static_cast<std::size_t>(output_.frame_bytes());
  pcm.resize(old_size + static_cast<std::size_t>(room) * frame_bytes);
  std::uint8_t* out = pcm.data() + old_size;
  const int made = ff::swr_convert(impl_->swr.get(), &out, room, in, count);
  pcm.resize(old_size + static_cast<std::size_t>(made > 0 ? made : 0) * frame_bytes);
}

}  // namespace tributary::player
