#include "engine/core/demand.h"

#include <doctest/doctest.h>

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration time) { return TimePoint(time); }

// A file of 60 s and 1000 bytes a second, 5000 bytes into its torrent; its second 20 is heard at
// 100 s.
Demand playing() {
  Demand d;
  d.file_range = {5000_B, 65000_B};
  d.timeline = ByteTimeMap::linear(60000_B, 60s);
  d.position = 20s;
  d.at = at(100s);
  d.moving = true;
  d.budget = Bytes(INT64_MAX);
  return d;
}

Demand waiting() {
  Demand d = playing();
  d.moving = false;
  return d;
}

TEST_CASE("the playhead stands until its time, runs with time, and stops at the end") {
  const Demand d = playing();
  CHECK(d.playhead(at(90s)) == 20s);
  CHECK(d.playhead(at(100s)) == 20s);
  CHECK(d.playhead(at(107s)) == 27s);
  CHECK(d.playhead(at(140s)) == 60s);
  CHECK(d.playhead(at(500s)) == 60s);
}

TEST_CASE("while nothing moves the playhead stands") { CHECK(waiting().playhead(at(500s)) == 20s); }

TEST_CASE("bytes are due in step with the media, those behind the playhead long ago") {
  const Demand d = playing();
  for (const TimePoint now : {at(0s), at(100s), at(130s)}) {
    CHECK(d.deadline(25000_B, now) == at(100s));
    CHECK(d.deadline(35000_B, now) == at(110s));
    CHECK(d.deadline(5000_B, now) == at(80s));
  }
}

TEST_CASE("while nothing moves deadlines slide along with time, once theirs has come") {
  const Demand d = waiting();
  CHECK(d.deadline(35000_B, at(50s)) == at(110s));
  CHECK(d.deadline(35000_B, at(100s)) == at(110s));
  CHECK(d.deadline(35000_B, at(130s)) == at(140s));
}

TEST_CASE("what is due by a moment is the inverse of when it is due") {
  for (const Demand& d : {playing(), waiting()}) {
    for (const TimePoint now : {at(90s), at(130s)}) {
      for (const Duration media : {Duration(0s), Duration(20s), Duration(33s), Duration(60s)}) {
        CHECK(d.time_due_by(d.due(media, now), now) == media);
      }
    }
  }
}

TEST_CASE("wanted is what lies between the playhead and the end of the file") {
  const Demand d = playing();
  CHECK(d.wanted(at(90s)) == ByteRange{25000_B, 65000_B});
  CHECK(d.wanted(at(110s)) == ByteRange{35000_B, 65000_B});
  CHECK(d.wanted(at(500s)).empty());
}

TEST_CASE("a budget counts from the position, and what was played of it is spent") {
  Demand d = playing();
  d.budget = 15000_B;
  CHECK(d.wanted(at(100s)) == ByteRange{25000_B, 40000_B});
  CHECK(d.wanted(at(110s)) == ByteRange{35000_B, 40000_B});
  CHECK(d.wanted(at(115s)).empty());
  CHECK(d.wanted(at(130s)).empty());
  CHECK(d.wanted(at(130s)).size() == 0_B);  // empty, not negative
}

TEST_CASE("a budget that ends behind the file's end wants no foreign bytes") {
  Demand d = playing();
  d.budget = 59000_B;  // less than the file, more than what is left of it
  CHECK(d.wanted(at(100s)) == ByteRange{25000_B, 65000_B});
}

TEST_CASE("headers before the first known point are wanted with the start, not after a seek") {
  Demand d = playing();
  d.timeline = ByteTimeMap::from_points(60000_B, 60s, {{0s, 3000_B}, {30s, 10000_B}});
  d.position = 0s;
  CHECK(d.wanted(at(100s)).begin == 5000_B);
  d.position = 30s;
  CHECK(d.wanted(at(100s)).begin == 15000_B);
}

// The same, but of one who reads ahead and stands at second `taken`.
Demand reading(std::int64_t taken) {
  Demand d = playing();
  d.reader = ReaderId(1);
  d.unread = {Bytes(5000 + 1000 * taken), 65000_B};
  return d;
}

TEST_CASE("a reader wants what it has not taken, wherever its playhead is") {
  CHECK(reading(35).wanted(at(101s)) == ByteRange{40000_B, 65000_B});
  CHECK(reading(35).wanted(at(500s)) == ByteRange{40000_B, 65000_B});
}

TEST_CASE("a reader's playhead runs with time and stops where the reader stands") {
  const Demand d = reading(35);
  CHECK(d.playhead(at(110s)) == 30s);
  CHECK(d.moves(at(110s)));
  CHECK(d.deadline(40000_B, at(110s)) == at(115s));
  CHECK(d.playhead(at(115s)) == 35s);
  CHECK_FALSE(d.moves(at(115s)));
}

TEST_CASE("once a reader has nothing left to play what it waits for is due now, the rest in step") {
  const Demand d = reading(35);
  for (const TimePoint now : {at(115s), at(120s), at(500s)}) {
    CHECK(d.playhead(now) == 35s);
    CHECK(d.deadline(40000_B, now) == now);
    CHECK(d.deadline(50000_B, now) == now + 10s);
    CHECK(d.time_due_by(d.due(50s, now), now) == 50s);
  }
}

TEST_CASE("a file of unknown duration is taken for 1 Mbit/s") {
  CHECK(guessed_timeline(125000_B).duration() == 1s + 1us);
  CHECK(guessed_timeline(125000_B).known());
}

}  // namespace
}  // namespace tributary::core
