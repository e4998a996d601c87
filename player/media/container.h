// A look at a file's first bytes: what has to be known before a demuxer is opened.
#pragma once

#include "engine/base/result.h"
#include "player/media/byte_source.h"

namespace tributary::player {

struct ContainerLayout {
  bool is_mp4 = false;         // ISO base media (MP4, M4A, MOV)
  bool is_wave = false;        // RIFF WAVE, or its 64-bit form
  bool is_searchable = false;  // frames that can be found from any offset: Ogg, FLAC, MP3, ADTS
  bool index_last = false;     // MP4: the sample tables stand behind the media
  bool is_fragmented = false;  // MP4: the tables are spread over the file (ISO/IEC 14496-12 §8.8)
  ByteRange index{};           // MP4: the sample tables ("moov"); empty when not found
  Bytes media_begin{};  // where the container begins, after ID3v2 tags (id3.org, 2.4.0 §3.1)
};

// Reads a few bytes at the start and, of an MP4 file, the headers of its top-level boxes
// (ISO/IEC 14496-12 §4.2) until the sample tables are found. An unknown or broken file gives an
// empty layout. Errors: those of the source.
Result<ContainerLayout> inspect_container(ByteSource& source);

}  // namespace tributary::player
