#include "player/media/ffmpeg.h"

#include "player/media/shared_library.h"

namespace tributary::player {

namespace ff {
#define TRIBUTARY_DEFINE(name) decltype(&::name) name = nullptr;
TRIBUTARY_AVFORMAT_FUNCTIONS(TRIBUTARY_DEFINE)
TRIBUTARY_AVCODEC_FUNCTIONS(TRIBUTARY_DEFINE)
TRIBUTARY_AVUTIL_FUNCTIONS(TRIBUTARY_DEFINE)
TRIBUTARY_SWRESAMPLE_FUNCTIONS(TRIBUTARY_DEFINE)
#undef TRIBUTARY_DEFINE
}  // namespace ff

namespace {

// The version of the headers this was compiled with: structures differ between major versions.
std::string versioned(const char* library, int major) {
  return std::string(library) + ".so." + std::to_string(major);
}

#define TRIBUTARY_FIND(name) \
  if (auto found = library.find(#name, ff::name); !found) return found;

Result<void> load_avformat() {
  TRIBUTARY_TRY(library, SharedLibrary::open(versioned("libavformat", LIBAVFORMAT_VERSION_MAJOR)));
  TRIBUTARY_AVFORMAT_FUNCTIONS(TRIBUTARY_FIND)
  return {};
}

Result<void> load_avcodec() {
  TRIBUTARY_TRY(library, SharedLibrary::open(versioned("libavcodec", LIBAVCODEC_VERSION_MAJOR)));
  TRIBUTARY_AVCODEC_FUNCTIONS(TRIBUTARY_FIND)
  return {};
}

Result<void> load_avutil() {
  TRIBUTARY_TRY(library, SharedLibrary::open(versioned("libavutil", LIBAVUTIL_VERSION_MAJOR)));
  TRIBUTARY_AVUTIL_FUNCTIONS(TRIBUTARY_FIND)
  return {};
}

Result<void> load_swresample() {
  TRIBUTARY_TRY(library,
                SharedLibrary::open(versioned("libswresample", LIBSWRESAMPLE_VERSION_MAJOR)));
  TRIBUTARY_SWRESAMPLE_FUNCTIONS(TRIBUTARY_FIND)
  return {};
}

#undef TRIBUTARY_FIND

// FFmpeg prints to stderr unless told otherwise, and a library must not. An embedder that chose a
// level of its own keeps it.
void quiet() {
  if (ff::av_log_get_level() == AV_LOG_INFO) ff::av_log_set_level(AV_LOG_QUIET);
}

Result<void> load_all() {
  for (const auto& load : {load_avformat, load_avcodec, load_avutil, load_swresample}) {
    if (auto loaded = load(); !loaded) return loaded;
  }
  quiet();
  return {};
}

}  // namespace

Result<void> load_ffmpeg() {
  static const Result<void> loaded = load_all();
  return loaded;
}

}  // namespace tributary::player
