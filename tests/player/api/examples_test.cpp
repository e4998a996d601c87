// The examples of demo/embed as a user builds them: programs of their own on the shared library.
#include <doctest/doctest.h>

#include <string>

#include "tests/player/api/api_rig.h"

namespace tributary::capi {
namespace {

#ifdef EMBED_C

TEST_CASE("the examples in C and C++ play a track into a file") {
  const std::string directory = player::make_directory("examples");
  make_sound(directory, "tone.opus", 3);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  for (const std::string program : {EMBED_C, EMBED_CPP}) {
    const std::string wav = directory + "/out.wav";
    player::run_command("'" + program + "' '" + torrent + "' 'wav-fast:" + wav + "'");
    CHECK(player::read_bytes(wav).size() > 3 * 48'000 * 2);
  }
}

TEST_CASE("FFmpeg opens a track through its AVIOContext and decodes all of it") {
  const std::string directory = player::make_directory("ffmpeg");
  make_sound(directory, "tone.opus", 3);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  const std::string told = directory + "/frames";
  player::run_command(std::string("'") + EMBED_FFMPEG + "' '" + torrent + "' >'" + told + "'");
  const auto line = player::read_bytes(told);
  CHECK(std::string(line.begin(), line.end()) == "151 frames\n");  // of 20 ms, and the lead-in
}

#else

TEST_CASE("the examples stand on the shared library") {
  MESSAGE("skipped: with a sanitizer no shared library is built");
}

#endif

}  // namespace
}  // namespace tributary::capi
