// The examples of demo/embed as a user builds them: programs of their own on the shared library.
#include <doctest/doctest.h>

#include <string>

#include "tests/player/api/api_rig.h"

namespace tributary::capi {
namespace {

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

}  // namespace
}  // namespace tributary::capi
