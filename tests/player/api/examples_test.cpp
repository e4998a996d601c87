// The examples of demo/embed as a user builds them: programs of their own on the shared library.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/player/api/api_rig.h"

namespace tributary::capi {
namespace {

#ifdef EMBED_C

using Octets = std::vector<std::uint8_t>;

// A file that only a peer has, in a torrent.
struct OfPeers {
  OfPeers(const std::string& folder, const std::string& name) : directory(folder), rig(folder) {
    torrent = rig.publish(name, 16_KiB, false);
    rig.add_seed(torrent);
    rig.run();
  }
  const std::string directory;
  player::Rig rig;
  std::string torrent;
};

// Of its sound, by a decoder of ffmpeg's.
Octets decoded(const std::string& directory, const std::string& name, const std::string& decoder) {
  const std::string out = directory + "/ffmpeg.pcm";
  player::run_command("ffmpeg -v error -y -c:a " + decoder + " -i '" + directory + "/" + name +
                      "' -vn -f s16le '" + out + "'");
  return player::read_bytes(out);
}

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

#ifdef EMBED_MPV

TEST_CASE("mpv plays the pictures and the sound of a film that only a peer has") {
  const std::string directory = player::make_directory("mpv");
  player::run_command(
      "ffmpeg -v error -y -f lavfi -i testsrc2=s=80x60:r=10:d=6 -f lavfi -i "
      "'anoisesrc=d=6:a=0.1:seed=7:r=48000' -c:v mjpeg -c:a pcm_s16le '" +
      directory + "/film.mkv'");
  const OfPeers film(directory, "film.mkv");
  const std::string frames = directory + "/frames";
  const std::string pcm = directory + "/mpv.pcm";
  player::run_command(std::string("'") + EMBED_MPV + "' '" + film.torrent +
                      "' vo image vo-image-format jpg vo-image-outdir '" + frames +
                      "' ao pcm ao-pcm-waveheader no ao-pcm-file '" + pcm +
                      "' framedrop no untimed yes");
  CHECK(player::read_bytes(pcm) == decoded(directory, "film.mkv", "pcm_s16le"));
  const std::filesystem::directory_iterator shown(frames);
  CHECK(std::distance(begin(shown), end(shown)) == 60);
}

#endif

#ifdef GSTREAMER_PLAY

int play_by_gstreamer(const std::string& directory, const std::string& arguments) {
  const std::string command = "GST_PLUGIN_PATH='" GSTREAMER_PLUGINS "' GST_REGISTRY='" + directory +
                              "/registry' '" GSTREAMER_PLAY "' " + arguments;
  return std::system(command.c_str());
}

// What GStreamer hears of the URI from that many seconds on.
Octets heard(const std::string& directory, const std::string& uri, int from) {
  const std::string out = directory + "/gstreamer.pcm";
  REQUIRE(play_by_gstreamer(directory, "'" + uri + "' '" + out + "' " + std::to_string(from)) == 0);
  return player::read_bytes(out);
}

TEST_CASE("GStreamer plays a URI of what only a peer has, and seeks in it") {
  const std::string directory = player::make_directory("gstreamer");
  make_sound(directory, "tone.opus", 6);
  const OfPeers tone(directory, "tone.opus");
  const std::string uri = "tributary://" + tone.torrent;
  CHECK(heard(directory, uri, 0) == decoded(directory, "tone.opus", "libopus"));
  const Octets last_two_seconds = heard(directory, uri + "#0", 4);
  CHECK(last_two_seconds.size() == 2 * 48'000 * 2);
  CHECK(last_two_seconds == heard(directory, "file://" + directory + "/tone.opus", 4));
}

TEST_CASE("GStreamer is told of a URI that names nothing, and leaves one that brings nothing") {
  const std::string directory = player::make_directory("gstreamer-bad");
  make_sound(directory, "tone.opus", 1);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus", 16_KiB, false);
  rig.run();
  CHECK(play_by_gstreamer(directory, "'tributary:///not-there.torrent' /dev/null 0 2>&1") != 0);
  CHECK(play_by_gstreamer(directory, "'tributary://" + torrent + "#7' /dev/null 0 2>&1") != 0);
  CHECK(play_by_gstreamer(directory, "'tributary://" + torrent + "' /dev/null leave") == 0);
}

#endif

#else

TEST_CASE("the examples stand on the shared library") {
  MESSAGE("skipped: with a sanitizer no shared library is built");
}

#endif

}  // namespace
}  // namespace tributary::capi
