// FFmpeg's C headers and owners for its objects. Included by sources of this room only, so that its
// public headers stay free of FFmpeg.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include <memory>
#include <string>

#include "engine/base/units.h"

namespace tributary::player {

struct AvDelete {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
  void operator()(SwrContext* p) const { swr_free(&p); }
  void operator()(AVIOContext* p) const {
    av_freep(&p->buffer);
    avio_context_free(&p);
  }
};
template <class T>
using AvPtr = std::unique_ptr<T, AvDelete>;

inline constexpr AVRational kMicroseconds{1, 1'000'000};

inline std::string av_message(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

// A time stamp in a stream's unit, as microseconds; out of range values saturate.
inline Duration to_duration(std::int64_t stamp, AVRational unit) {
  return Duration(av_rescale_q(stamp, unit, kMicroseconds));
}

}  // namespace tributary::player
