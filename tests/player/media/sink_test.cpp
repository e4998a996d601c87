#include "player/media/sink.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include "player/media/wav_header.h"
#include "tests/player/media/media_fixture.h"
#include "tests/player/media/virtual_clock.h"

namespace tributary::player {
namespace {

constexpr AudioFormat kStereo{SampleKind::kS16, 44100, 2, 0};

std::vector<std::uint8_t> noise(std::size_t bytes) {
  std::vector<std::uint8_t> out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(i * 131 + i / 977);
  return out;
}

TEST_CASE("a null sink takes as long as the sound lasts") {
  VirtualClock clock;
  auto sink = make_null_sink(clock);
  REQUIRE(sink->open(kStereo, {}).ok());
  REQUIRE(sink->write(noise(44100 * 4 * 10)).ok());
  CHECK(clock.now() >= TimePoint(8s));
  CHECK(clock.now() <= TimePoint(8500ms));
  REQUIRE(sink->drain().ok());
  CHECK(clock.now() == TimePoint(10s));
  CHECK(sink->status().heard_frames == 441'000);
}

TEST_CASE("an interrupted write returns, and a flush drops what was queued") {
  SteadyMediaClock clock;
  auto sink = make_null_sink(clock);
  REQUIRE(sink->open(kStereo, {}).ok());
  sink->pause();
  Result<void> result;
  std::thread writer([&] { result = sink->write(noise(44100 * 4 * 5)); });
  while (sink->status().written_frames < 88'200) std::this_thread::yield();
  sink->interrupt();
  writer.join();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kCancelled);
  CHECK_FALSE(sink->write(noise(4)).ok());
  sink->flush();
  CHECK(sink->status().written_frames == 0);
  CHECK(sink->write(noise(4)).ok());
}

TEST_CASE("a WAV file holds what was heard and is whole at any time") {
  VirtualClock clock;
  const std::string path = temp_dir() + "/out.wav";
  auto sink = make_wav_sink(path, {}, clock);
  REQUIRE(sink->open(kStereo, {}).ok());
  const auto pcm = noise(44100 * 4 * 5);
  REQUIRE(sink->write(pcm).ok());
  const auto early = ffmpeg_pcm(path);  // not closed: as after a crash
  CHECK(early.size() >= 2 * 44100 * 4);
  CHECK(std::equal(early.begin(), early.end(), pcm.begin()));
  REQUIRE(sink->drain().ok());
  REQUIRE(sink->close().ok());
  CHECK(ffmpeg_pcm(path) == pcm);
}

TEST_CASE("an unpaced WAV file takes no time, in float and with six channels too") {
  for (const SampleKind kind : {SampleKind::kS16, SampleKind::kF32}) {
    for (const int channels : {1, 2, 6}) {
      VirtualClock clock;
      const std::string path = temp_dir() + "/fast.wav";
      auto sink = make_wav_sink(path, {kind, false}, clock);
      const auto format = sink->open({SampleKind::kS16, 8000, channels, 0}, {2s, 100ms});
      REQUIRE(format.ok());
      const std::vector<std::uint8_t> pcm(static_cast<std::size_t>(80'001 * format->frame_bytes()),
                                          0x11);
      REQUIRE(sink->write(pcm).ok());
      REQUIRE(sink->drain().ok());
      REQUIRE(sink->close().ok());
      CHECK(clock.now() == TimePoint());
      CHECK(ffmpeg_pcm(path, kind == SampleKind::kS16 ? "s16le" : "f32le") == pcm);
    }
  }
}

TEST_CASE("a WAV header beyond 4 GiB is RF64 with 64-bit sizes, and as long") {
  const auto small = wav_header(kStereo, 1000_B);
  const auto big = wav_header(kStereo, Bytes(6'000'000'000));
  CHECK(small.size() == big.size());
  CHECK(std::memcmp(small.data(), "RIFF", 4) == 0);
  CHECK(std::memcmp(big.data(), "RF64", 4) == 0);
  CHECK(std::memcmp(big.data() + 12, "ds64", 4) == 0);
  std::uint64_t size = 0;
  std::memcpy(&size, big.data() + 28, 8);
  CHECK(size == 6'000'000'000);
}

TEST_CASE("a WAV file that cannot be written says so") {
  VirtualClock clock;
  auto sink = make_wav_sink("/nowhere/x.wav", {}, clock);
  const auto opened = sink->open(kStereo, {});
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().message.find("/nowhere/x.wav") != std::string::npos);
}

TEST_CASE("sinks are made from the words of the command line") {
  VirtualClock clock;
  CHECK(make_sink("null", clock).ok());
  CHECK(make_sink("wav:" + temp_dir() + "/made.wav", clock).ok());
  CHECK_FALSE(make_sink("wav:", clock).ok());
  CHECK_FALSE(make_sink("alsa", clock).ok());
}

TEST_CASE("a missing sound device is an error that says what to do") {
  ::setenv("SDL_AUDIODRIVER", "no-such-driver", 1);
  SteadyMediaClock clock;
  CHECK_FALSE(sdl_device_present());
  auto sink = make_sdl_sink(clock);
  const Error error = sink ? (*sink)->open(kStereo, {}).error() : sink.error();
  CHECK(error.message.find("--audio null") != std::string::npos);
}

TEST_CASE("SDL's dummy device plays in real time") {
  ::setenv("SDL_AUDIODRIVER", "dummy", 1);
  SteadyMediaClock clock;
  auto sink = make_sdl_sink(clock);
  if (!sink) {
    MESSAGE("skipped: this build has no SDL2");
    return;
  }
  REQUIRE((*sink)->open(kStereo, {}).ok());
  REQUIRE((*sink)->write(noise(4410 * 4)).ok());
  REQUIRE((*sink)->drain().ok());
  CHECK((*sink)->status().heard_frames == 4410);
  CHECK((*sink)->close().ok());
}

}  // namespace
}  // namespace tributary::player
