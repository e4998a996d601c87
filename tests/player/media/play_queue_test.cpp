#include "player/media/play_queue.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

constexpr AudioFormat kFormat{SampleKind::kS16, 1000, 1, 0};  // a frame a millisecond, 2 bytes

TimePoint at(Duration t) { return TimePoint(t); }
std::vector<std::uint8_t> frames(std::size_t n) { return std::vector<std::uint8_t>(2 * n, 7); }

PlayQueue opened(QueueOptions options = {}) {
  PlayQueue q;
  q.open(kFormat, options);
  return q;
}

TEST_CASE("the playhead follows the clock and stops at the end of the data") {
  PlayQueue q = opened();
  q.push(frames(100), at(5ms));
  q.advance(at(45ms));
  CHECK(q.heard_frames() == 40);
  CHECK(q.queued_frames() == 60);
  q.advance(at(500ms));
  CHECK(q.heard_frames() == 100);
  REQUIRE(q.open_underrun().has_value());
  CHECK(q.open_underrun()->start == at(105ms));
}

TEST_CASE("an underrun lasts from the last sample's end to the next data") {
  PlayQueue q = opened();
  q.push(frames(100), at(0ms));
  q.advance(at(400ms));
  q.push(frames(50), at(400ms));
  CHECK(q.take_underruns() == std::vector<Underrun>{{100, at(100ms), 300ms}});
  CHECK(q.take_underruns().empty());
  q.advance(at(420ms));
  CHECK(q.heard_frames() == 120);
}

TEST_CASE("data that comes on the last moment leaves no underrun") {
  PlayQueue q = opened();
  q.push(frames(100), at(0ms));
  q.advance(at(100ms));
  q.push(frames(50), at(100ms));
  CHECK(q.take_underruns().empty());
  CHECK(q.running());
}

TEST_CASE("a pause, a flush and the end are no underruns") {
  PlayQueue q = opened();
  q.push(frames(100), at(0ms));
  q.set_paused(true, at(100ms));
  q.advance(at(900ms));
  CHECK_FALSE(q.open_underrun().has_value());
  q.set_paused(false, at(900ms));
  q.flush(at(900ms));
  CHECK(q.written_frames() == q.heard_frames());
  q.push(frames(10), at(2000ms));
  q.set_ended(at(2000ms));
  q.advance(at(9000ms));
  CHECK_FALSE(q.open_underrun().has_value());
  CHECK(q.take_underruns().empty());
}

TEST_CASE("sound begins at the start level, or at the end of a shorter track") {
  PlayQueue q = opened({2s, 200ms});
  q.push(frames(199), at(0ms));
  CHECK_FALSE(q.running());
  q.push(frames(1), at(50ms));
  CHECK(q.running());
  q.flush(at(60ms));
  q.push(frames(20), at(60ms));
  CHECK_FALSE(q.running());
  q.set_ended(at(70ms));
  CHECK(q.running());
}

TEST_CASE("room is what the capacity leaves") {
  PlayQueue q = opened({1s, 0ms});
  CHECK(q.room() == 2000);
  q.push(frames(1000), at(0ms));
  CHECK(q.room() == 0);
  q.advance(at(250ms));
  CHECK(q.room() == 500);
  CHECK(q.time_of_level(500ms) == at(500ms));
}

TEST_CASE("a device that pulls more than there is runs the queue dry") {
  PlayQueue q = opened();
  q.push(frames(10), at(0ms));
  std::vector<std::uint8_t> out(30);
  CHECK(q.pull(out, at(20ms)) == 20);
  REQUIRE(q.open_underrun().has_value());
  CHECK(q.open_underrun()->start == at(20ms));
}

}  // namespace
}  // namespace tributary::player
