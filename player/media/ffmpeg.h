// FFmpeg's C headers, its functions, and owners for its objects. Included by sources of this room
// only, so that its public headers stay free of FFmpeg.
//
// FFmpeg and what it depends on are a hundred libraries. Linked, they would be loaded before main()
// and cost every start several times what the first request takes, and a seed more memory than all
// it does; so they are loaded when the first media file is opened.
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

#include "engine/base/result.h"
#include "engine/base/units.h"

#define TRIBUTARY_AVFORMAT_FUNCTIONS(X) \
  X(av_add_index_entry)                 \
  X(av_find_best_stream)                \
  X(av_read_frame)                      \
  X(av_seek_frame)                      \
  X(avformat_alloc_context)             \
  X(avformat_close_input)               \
  X(avformat_find_stream_info)          \
  X(avformat_index_get_entries_count)   \
  X(avformat_index_get_entry)           \
  X(avformat_open_input)                \
  X(avio_alloc_context)                 \
  X(avio_context_free)

#define TRIBUTARY_AVCODEC_FUNCTIONS(X) \
  X(av_packet_alloc)                   \
  X(av_packet_free)                    \
  X(av_packet_unref)                   \
  X(avcodec_alloc_context3)            \
  X(avcodec_find_decoder)              \
  X(avcodec_free_context)              \
  X(avcodec_get_name)                  \
  X(avcodec_open2)                     \
  X(avcodec_parameters_to_context)     \
  X(avcodec_receive_frame)             \
  X(avcodec_send_packet)

#define TRIBUTARY_AVUTIL_FUNCTIONS(X) \
  X(av_channel_layout_default)        \
  X(av_channel_layout_from_mask)      \
  X(av_channel_layout_uninit)         \
  X(av_frame_alloc)                   \
  X(av_frame_free)                    \
  X(av_freep)                         \
  X(av_get_bytes_per_sample)          \
  X(av_log_get_level)                 \
  X(av_log_set_level)                 \
  X(av_malloc)                        \
  X(av_rescale_q)                     \
  X(av_sample_fmt_is_planar)          \
  X(av_strdup)                        \
  X(av_strerror)

#define TRIBUTARY_SWRESAMPLE_FUNCTIONS(X) \
  X(swr_alloc_set_opts2)                  \
  X(swr_convert)                          \
  X(swr_free)                             \
  X(swr_get_out_samples)                  \
  X(swr_init)

namespace tributary::player {

// Must have succeeded before any of the functions below is called. Any thread; the first call takes
// tens of milliseconds. Errors: kNotFound: FFmpeg is not installed, or in another major version.
Result<void> load_ffmpeg();

namespace ff {
#define TRIBUTARY_DECLARE(name) extern decltype(&::name) name;
TRIBUTARY_AVFORMAT_FUNCTIONS(TRIBUTARY_DECLARE)
TRIBUTARY_AVCODEC_FUNCTIONS(TRIBUTARY_DECLARE)
TRIBUTARY_AVUTIL_FUNCTIONS(TRIBUTARY_DECLARE)
TRIBUTARY_SWRESAMPLE_FUNCTIONS(TRIBUTARY_DECLARE)
#undef TRIBUTARY_DECLARE
}  // namespace ff

struct AvDelete {
  void operator()(AVPacket* p) const { ff::av_packet_free(&p); }
  void operator()(AVFrame* p) const { ff::av_frame_free(&p); }
  void operator()(AVCodecContext* p) const { ff::avcodec_free_context(&p); }
  void operator()(AVFormatContext* p) const { ff::avformat_close_input(&p); }
  void operator()(SwrContext* p) const { ff::swr_free(&p); }
  void operator()(AVIOContext* p) const {
    ff::av_freep(&p->buffer);
    ff::avio_context_free(&p);
  }
};
template <class T>
using AvPtr = std::unique_ptr<T, AvDelete>;

inline constexpr AVRational kMicroseconds{1, 1'000'000};

inline std::string av_message(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  ff::av_strerror(code, text, sizeof text);
  return text;
}

// A time stamp in a stream's unit, as microseconds; out of range values saturate.
inline Duration to_duration(std::int64_t stamp, AVRational unit) {
  return Duration(ff::av_rescale_q(stamp, unit, kMicroseconds));
}

}  // namespace tributary::player
