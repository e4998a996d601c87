#include "tests/player/media/media_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tributary::player {
namespace {

struct TempDir {
  std::string path;
  TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tributary-media-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempDir() { std::filesystem::remove_all(path); }
};

#define TONES                                                                                   \
  "-f lavfi -i \"aevalsrc='0.4*sin(2*PI*t*(220+60*t))+0.1*(random(0)-0.5)|0.4*sin(2*PI*t*(330+" \
  "40*t))+0.1*(random(1)-0.5)':s=44100:d=7\" "
#define TONES_48K                                                                               \
  "-f lavfi -i \"aevalsrc='0.4*sin(2*PI*t*(220+60*t))+0.1*(random(0)-0.5)|0.4*sin(2*PI*t*(330+" \
  "40*t))+0.1*(random(1)-0.5)':s=48000:d=7\" "
#define PICTURES "-f lavfi -i testsrc=s=160x120:r=25:d=7 "

}  // namespace

const std::string& temp_dir() {
  static const TempDir dir;
  return dir.path;
}

void run_command(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

std::vector<std::uint8_t> read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  REQUIRE(out.good());
}

std::string make_media(const std::string& name, const std::string& arguments) {
  const std::string path = temp_dir() + "/" + name;
  if (!std::filesystem::exists(path)) {
    run_command("ffmpeg -nostdin -v error -y " + arguments + " " + path);
  }
  return path;
}

std::vector<std::uint8_t> ffmpeg_pcm(const std::string& path, const std::string& format,
                                     const std::string& more) {
  const std::string out = temp_dir() + "/reference.raw";
  run_command("ffmpeg -nostdin -v fatal -y -i " + path + " -map 0:a:0 " + more + " -f " + format +
              " -c:a pcm_" + format + " " + out);
  return read_all(out);
}

const std::vector<MediaCase>& media_cases() {
  static const std::vector<MediaCase> cases = {
      {"tones.opus", TONES_48K "-c:a libopus -b:a 96k", 2000},
      {"tones.ogg", TONES "-c:a libvorbis -q:a 5", 1},
      {"tones.flac", TONES "-c:a flac -sample_fmt s16", 0},
      {"deep.flac", TONES_48K "-c:a flac -sample_fmt s32 -bits_per_raw_sample 24", 0},
      {"cbr.mp3", TONES "-c:a libmp3lame -b:a 128k", 1},
      {"vbr.mp3", TONES "-c:a libmp3lame -q:a 3", 1},
      {"tagged.mp3", TONES "-c:a libmp3lame -b:a 128k -write_id3v1 1 -metadata title=Tones", 1},
      {"first.m4a", TONES "-c:a aac -aac_pns 0 -b:a 128k -movflags +faststart", 1},
      {"last.m4a", TONES "-c:a aac -b:a 128k", -1},
      {"fragments.mp4",
       TONES "-c:a aac -aac_pns 0 -movflags +frag_keyframe+empty_moov -frag_duration 1000000", 1},
      {"opus.mkv", TONES_48K "-c:a libopus -b:a 96k", -1},
      {"opus.webm", TONES_48K PICTURES "-c:v libvpx -b:v 200k -c:a libopus -b:a 96k", -1},
      {"film.mp4", TONES_48K PICTURES "-c:v libx264 -g 50 -c:a aac -aac_pns 0 -movflags +faststart",
       1},
      {"film-last.mp4", TONES_48K PICTURES "-c:v libx264 -g 50 -c:a aac", -1},
      {"film.mkv", TONES_48K PICTURES "-c:v libx264 -g 50 -c:a aac", -1},
      {"surround.flac", TONES_48K "-af 'pan=5.1|FL=c0|FR=c1|FC=c0|LFE=c1|BL=c0|BR=c1' -c:a flac",
       0},
      {"surround.m4a", TONES_48K "-ac 6 -c:a aac -movflags +faststart", -1},
      {"phone.wav", TONES "-ac 1 -ar 8000 -c:a pcm_s16le", 0},
      {"phone.ogg", TONES "-ac 1 -ar 8000 -c:a libvorbis", 1},
      {"float.wav", TONES "-c:a pcm_f32le", 0},
      {"adts.aac", TONES "-c:a aac -aac_pns 0 -b:a 96k", 1},
  };
  return cases;
}

Result<Bytes> MemorySource::read(Bytes offset, std::span<std::uint8_t> out) {
  if (cancelled_) return Error{ErrorCode::kCancelled, "cancelled"};
  if (offset >= size()) return 0_B;
  const auto at = static_cast<std::size_t>(offset.count());
  const std::size_t count = std::min(out.size(), bytes_.size() - at);
  std::memcpy(out.data(), bytes_.data() + at, count);
  for (std::size_t block = at / 16384; block <= (at + count - 1) / 16384; ++block) {
    blocks_.insert(static_cast<std::int64_t>(block));
  }
  bytes_read_ += static_cast<std::int64_t>(count);
  return Bytes(static_cast<std::int64_t>(count));
}

std::vector<std::uint8_t> read_pcm(TrackReader& reader) {
  std::vector<std::uint8_t> pcm;
  for (;;) {
    Result<PcmBlock> block = reader.next();
    REQUIRE(block.ok());
    if (block->bytes.empty()) return pcm;
    pcm.insert(pcm.end(), block->bytes.begin(), block->bytes.end());
  }
}

std::vector<std::uint8_t> decode_s16(const std::string& path, const TrackReader::Options& options) {
  MemorySource source(read_all(path));
  auto reader = TrackReader::open(source, options);
  REQUIRE_MESSAGE(reader.ok(), path);
  AudioFormat format = (*reader)->native_format();
  format.sample = SampleKind::kS16;
  (*reader)->set_output(format);
  return read_pcm(**reader);
}

}  // namespace tributary::player
