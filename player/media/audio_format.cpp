#include "player/media/audio_format.h"

namespace tributary::player {

std::string to_string(const AudioFormat& f) {
  return std::to_string(f.rate) + " Hz, " + std::to_string(f.channels) +
         (f.channels == 1 ? " channel, " : " channels, ") +
         (f.sample == SampleKind::kS16 ? "16 bit" : "float");
}

}  // namespace tributary::player
