#include "player/buffer/playback_buffer.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"

namespace tributary::player {
namespace {

using Phase = PlaybackMeter::Phase;
constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }

TEST_CASE("media ahead reaches to the first byte that is missing") {
  const auto map = core::ByteTimeMap::from_points(1000_B, 100s, {{0s, 200_B}});
  CHECK(media_ahead(map, 0s, 100_B) == 0s);  // still in the headers
  CHECK(media_ahead(map, 0s, 200_B) == 0s);
  CHECK(media_ahead(map, 0s, 600_B) == 50s);
  CHECK(media_ahead(map, 20s, 600_B) == 30s);
  CHECK(media_ahead(map, 60s, 600_B) == 0s);
  CHECK(media_ahead(map, 60s, 1000_B) == 40s);
  CHECK(media_ahead(core::ByteTimeMap(), 0s, 1000_B) == 0s);
}

TEST_CASE("the startup delay runs from the request to the first frame") {
  PlaybackMeter m;
  m.requested(at(10s));
  CHECK_FALSE(m.startup());
  CHECK(m.phase() == Phase::kStarting);
  m.first_frame(at(10300ms));
  CHECK(m.startup() == 300ms);
  CHECK(m.phase() == Phase::kPlaying);
  const PlaybackFigures f = m.track(at(15300ms));
  CHECK(f == PlaybackFigures{.started = 1, .startup = 300ms, .played = 5s});
}

TEST_CASE("a stall is counted and timed, while it lasts too") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.starved(at(9s));
  m.starved(at(9500ms));  // still the same
  CHECK(m.track(at(10s)).stalled == 1s);
  m.first_frame(at(10s));
  const PlaybackFigures f = m.track(at(100s));
  CHECK(f.stalls == 1);
  CHECK(f.stalled == 1s);
  CHECK(f.played == 99s);
  CHECK(f.rebuffering_ppm() == 10'000);
}

TEST_CASE("the rebuffering ratio of nothing is zero") {
  CHECK(PlaybackFigures{}.rebuffering_ppm() == 0);
  CHECK(PlaybackFigures{.stalled = 1s}.rebuffering_ppm() == 1'000'000);
}

TEST_CASE("the wait after a seek is seek latency and no stall") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.seek(at(5s));
  m.starved(at(5100ms));
  m.first_frame(at(5700ms));
  const PlaybackFigures f = m.track(at(10s));
  CHECK(f == PlaybackFigures{.started = 1, .played = 9300ms, .seeks = 1, .seeking = 700ms});
}

TEST_CASE("a relapse directly after a seek is seek latency; a later one is a stall") {
  for (const auto& [played, is_stall] : {std::pair<Duration, bool>{499ms, false}, {500ms, true}}) {
    PlaybackMeter m;
    m.requested(at(0s));
    m.first_frame(at(0s));
    m.seek(at(5s));
    m.first_frame(at(6s));
    m.starved(at(6s + played));
    m.first_frame(at(8s + played));
    const PlaybackFigures f = m.track(at(8s + played));
    CHECK(f.stalls == (is_stall ? 1 : 0));
    CHECK(f.stalled == (is_stall ? 2s : 0s));
    CHECK(f.seeking == (is_stall ? 1s : 3s));
    CHECK(f.seeks == 1);
  }
}

TEST_CASE("a pause does not count as time played since the seek") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.seek(at(5s));
  m.first_frame(at(6s));
  m.pause(at(6100ms));
  m.resume(at(60s));
  m.starved(at(60200ms));
  CHECK(m.phase() == Phase::kSeeking);
}

TEST_CASE("a seek ends the stall that it leaves") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.starved(at(1s));
  m.seek(at(3s));
  m.first_frame(at(7s));
  CHECK(m.track(at(7s)) ==
        PlaybackFigures{
            .started = 1, .played = 1s, .stalls = 1, .stalled = 2s, .seeks = 1, .seeking = 4s});
}

TEST_CASE("a seek before the first frame belongs to the start") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.seek(at(1s));
  m.first_frame(at(2s));
  CHECK(m.track(at(2s)) == PlaybackFigures{.started = 1, .startup = 2s});
}

TEST_CASE("no clock but its own runs in a pause") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.pause(at(1s));
  m.first_frame(at(2s));
  m.resume(at(5s));
  m.starved(at(6s));
  m.pause(at(7s));
  m.resume(at(17s));
  m.first_frame(at(18s));
  CHECK(m.track(at(18s)) ==
        PlaybackFigures{
            .started = 1, .startup = 1s, .played = 1s, .stalls = 1, .stalled = 2s, .paused = 14s});
}

TEST_CASE("media that runs out in a pause is a stall only if it outlasts the pause") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.pause(at(1s));
  m.starved(at(2s));
  m.first_frame(at(3s));
  m.resume(at(4s));
  CHECK(m.track(at(4s)).stalls == 0);
  m.pause(at(5s));
  m.starved(at(6s));
  CHECK(m.track(at(7s)).stalls == 0);
  m.resume(at(8s));
  m.first_frame(at(9s));
  CHECK(m.track(at(9s)).stalls == 1);
  CHECK(m.track(at(9s)).stalled == 1s);
}

TEST_CASE("the gap runs from a track's end to the first frame of the one that follows") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.first_frame(at(0s));
  m.ended(at(10s));
  m.requested(at(10020ms), StartKind::kFollows);
  CHECK_FALSE(m.gap());
  m.first_frame(at(10050ms));
  CHECK(m.gap() == 50ms);
  CHECK(m.startup() == 30ms);
  CHECK(m.session(at(11050ms)) ==
        PlaybackFigures{.started = 2, .startup = 30ms, .played = 11s, .gaps = 1, .gap = 50ms});
}

TEST_CASE("a track that the listener chose, or that follows a skip, has no gap") {
  PlaybackMeter chosen;
  chosen.requested(at(0s));
  chosen.first_frame(at(0s));
  chosen.ended(at(10s));
  chosen.requested(at(20s), StartKind::kChosen);
  chosen.first_frame(at(21s));
  CHECK_FALSE(chosen.gap());
  CHECK(chosen.startup() == 1s);

  PlaybackMeter skipped;
  skipped.requested(at(0s));
  skipped.first_frame(at(0s));
  skipped.requested(at(10s), StartKind::kFollows);
  skipped.first_frame(at(11s));
  CHECK_FALSE(skipped.gap());
}

TEST_CASE("a request given up before its first frame is counted as abandoned") {
  PlaybackMeter m;
  m.requested(at(0s));
  m.requested(at(2s));
  m.stopped(at(3s));
  CHECK(m.session(at(50s)) == PlaybackFigures{.abandoned = 2, .startup = 3s});
  CHECK(m.phase() == Phase::kIdle);
}

TEST_CASE("inputs that make no sense change nothing") {
  PlaybackMeter m;
  m.first_frame(at(1s));
  m.starved(at(2s));
  m.seek(at(3s));
  m.pause(at(4s));
  m.resume(at(5s));
  m.ended(at(6s));
  CHECK(m.phase() == Phase::kIdle);
  CHECK(m.session(at(7s)) == PlaybackFigures{});
  m.requested(at(8s));
  m.starved(at(9s));
  CHECK(m.phase() == Phase::kStarting);
}

TEST_CASE("property: every moment since the request belongs to exactly one figure") {
  Random random(31);
  for (int round = 0; round < 200; ++round) {
    PlaybackMeter m;
    TimePoint now{};
    Duration idle{};
    for (int step = 0; step < 100; ++step) {
      const Duration passed(static_cast<std::int64_t>(random.below(2'000'000)));
      const bool silent = m.phase() == Phase::kIdle || m.phase() == Phase::kEnded;
      now += passed;
      if (silent) idle += passed;
      switch (random.below(9)) {
        case 0:
          m.requested(now, random.chance(1, 2) ? StartKind::kFollows : StartKind::kChosen);
          break;
        case 1:
        case 2:
          m.first_frame(now);
          break;
        case 3:
          m.starved(now);
          break;
        case 4:
          m.seek(now);
          break;
        case 5:
          m.pause(now);
          break;
        case 6:
          m.resume(now);
          break;
        case 7:
          m.ended(now);
          break;
        default:
          m.stopped(now);
          break;
      }
      const PlaybackFigures f = m.session(now);
      CHECK(f.startup + f.played + f.stalled + f.seeking + f.paused + idle == now - TimePoint{});
      CHECK(f.gap >= 0s);
      CHECK(f.gaps <= f.started);
    }
  }
}

}  // namespace
}  // namespace tributary::player
