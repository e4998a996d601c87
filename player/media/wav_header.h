// The header of a WAV file, as bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/units.h"
#include "player/media/audio_format.h"

namespace tributary::player {

// RIFF WAVE with the sizes of `data` bytes of PCM (Microsoft's "Multimedia Programming Interface
// and Data Specifications 1.0" and WAVEFORMATEXTENSIBLE), or RF64 (EBU Tech 3306) where they do not
// fit 32 bits. The length depends on the format alone, so a header can be written over an older
// one. REQUIRES: format.valid() and data >= 0.
std::vector<std::uint8_t> wav_header(const AudioFormat& format, Bytes data);

}  // namespace tributary::player
