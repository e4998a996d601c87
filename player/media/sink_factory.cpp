#include "player/media/sink.h"

namespace tributary::player {
namespace {

constexpr std::string_view kWav = "wav:";
constexpr std::string_view kFastWav = "wav-fast:";

}  // namespace

Result<std::unique_ptr<AudioSink>> make_sink(std::string_view spec, MediaClock& clock) {
  if (spec == "sdl") return make_sdl_sink(clock);
  if (spec == "null") return make_null_sink(clock);
  const bool is_fast = spec.starts_with(kFastWav);
  if (is_fast || spec.starts_with(kWav)) {
    const std::string_view file = spec.substr(is_fast ? kFastWav.size() : kWav.size());
    if (!file.empty()) {
      return make_wav_sink(std::string(file), {SampleKind::kS16, !is_fast}, clock);
    }
  }
  return invalid("unknown audio output '" + std::string(spec) +
                 "'; choose sdl, null, wav:FILE or wav-fast:FILE");
}

}  // namespace tributary::player
