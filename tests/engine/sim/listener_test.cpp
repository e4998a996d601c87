#include "engine/sim/listener.h"

#include <doctest/doctest.h>

#include <vector>

namespace tributary::sim {
namespace {

constexpr core::TorrentId kFirst{0};
constexpr core::TorrentId kSecond{1};

TimePoint at(Duration d) { return TimePoint(d); }

// Tracks of about one block a second: 16 KiB x 8 = 131,072 bit/s.
TrackParams ten_seconds() {
  TrackParams p;
  p.duration = 10s;
  p.rate = BitRate(16384 * 8);
  p.hints = false;
  return p;
}

struct Room {
  Track first{ten_seconds(), 1};
  Track second{ten_seconds(), 2};
  Store store;
  Listener listener{store, {kFirst, kSecond}};

  Room() {
    store.add(kFirst, first, false);
    store.add(kSecond, second, false);
  }
  void have(core::TorrentId torrent, int begin, int end, TimePoint now) {
    for (int b = begin; b < end; ++b) {
      store.put(torrent, core::BlockIndex(b), Origin::kPeers, false);
      listener.stored(now, torrent);
    }
  }
  void start_playing() {
    listener.start(at(0s));
    listener.may_start(at(50ms), kFirst);
    have(kFirst, 0, 2, at(200ms));
  }
  const Play& play() const { return listener.plays().back(); }
};

TEST_CASE("playback starts when it is allowed and the first frame is there, whichever is later") {
  Room early;
  early.listener.start(at(1s));
  early.have(kFirst, 0, 1, at(1200ms));
  CHECK_FALSE(early.listener.playing());
  early.listener.may_start(at(1300ms), kFirst);
  CHECK(early.listener.playing());
  CHECK(early.play().startup == Duration(300ms));

  Room late;
  late.listener.start(at(1s));
  late.listener.may_start(at(1100ms), kFirst);
  CHECK_FALSE(late.listener.playing());
  late.have(kFirst, 0, 1, at(1500ms));
  CHECK(late.play().startup == Duration(500ms));
}

TEST_CASE("a wish that could not be told at once counts its wait from when it was made") {
  Room room;
  room.start_playing();
  room.listener.play(at(3s), kSecond, at(2800ms));
  room.listener.may_start(at(3100ms), kSecond);
  room.have(kSecond, 0, 1, at(3300ms));
  CHECK(room.play().requested == at(2800ms));
  CHECK(room.play().startup == Duration(500ms));
}

TEST_CASE("the playhead stalls before a byte that the store has lost") {
  Room room;
  room.start_playing();
  room.store.lose(kFirst, {core::BlockIndex(1), core::BlockIndex(2)});
  room.listener.stored(at(500ms), kFirst);
  const TimePoint hole = room.listener.next_wake();
  CHECK(hole < at(1400ms));
  room.listener.wake(hole);
  CHECK(room.play().stalls == 1);
}

TEST_CASE("the playhead stalls at a missing byte and resumes with half a second in hand") {
  Room room;
  room.start_playing();
  const TimePoint hole = room.listener.next_wake();
  CHECK(hole > at(1900ms));
  CHECK(hole < at(2500ms));
  room.listener.wake(hole);
  CHECK_FALSE(room.listener.playing());
  CHECK(room.play().stalls == 1);
  room.have(kFirst, 2, 3, hole + 700ms);
  CHECK(room.listener.playing());
  CHECK(room.play().stalled == Duration(700ms));
}

TEST_CASE("a block that comes before the playhead needs it moves the wake") {
  Room room;
  room.start_playing();
  const TimePoint before = room.listener.next_wake();
  room.have(kFirst, 2, 5, at(1s));
  CHECK(room.listener.next_wake() > before + 2s);
  room.listener.wake(before);
  CHECK(room.play().stalls == 0);
}

TEST_CASE("a next track whose first frame is there follows without a gap") {
  Room room;
  room.start_playing();
  room.have(kFirst, 2, 10, at(1s));
  room.have(kSecond, 0, 1, at(2s));
  room.listener.wake(room.listener.next_wake());
  CHECK(room.listener.current() == kSecond);
  CHECK(room.listener.playing());
  CHECK(room.play().gap == Duration(0));
  CHECK(room.listener.plays()[0].finished);
}

TEST_CASE("a next track that is not there leaves a gap until it may start") {
  Room room;
  room.start_playing();
  room.have(kFirst, 2, 10, at(1s));
  const TimePoint end = room.listener.next_wake();
  room.listener.wake(end);
  CHECK_FALSE(room.listener.playing());
  room.listener.may_start(end + 100ms, kSecond);
  room.have(kSecond, 0, 1, end + 250ms);
  CHECK(room.play().gap == Duration(250ms));
}

TEST_CASE("a seek waits anew, a pause is no stall, a stop ends unfinished") {
  Room room;
  room.start_playing();
  room.listener.seek(at(1s), 5s);
  CHECK_FALSE(room.listener.playing());
  room.have(kFirst, 5, 8, at(1500ms));
  room.listener.may_start(at(1600ms), kFirst);
  CHECK(room.play().seek_waits == std::vector<Duration>{600ms});
  room.listener.pause(at(2s));
  CHECK(room.listener.next_wake() == kNever);
  CHECK(room.listener.position(at(9s)) == Duration(5400ms));
  room.listener.resume(at(9s));
  CHECK(room.play().stalls == 0);
  room.listener.stop(at(10s));
  CHECK(room.listener.done());
  CHECK_FALSE(room.play().finished);
}

TEST_CASE("the node hears each change of the line position(time), and whom the demuxer waits for") {
  Room room;
  room.start_playing();
  room.listener.wake(room.listener.next_wake());
  std::vector<bool> moving;
  bool waits = false;
  int timelines = 0;
  while (auto output = room.listener.poll()) {
    if (std::holds_alternative<core::ReaderWaits>(*output)) {
      waits = !std::get<core::ReaderWaits>(*output).range.empty();
      continue;
    }
    if (std::holds_alternative<core::SetTimeline>(*output)) {
      ++timelines;
      continue;
    }
    const auto& input = std::get<player::PlayerInput>(*output);
    if (const auto* p = std::get_if<player::Playback>(&input)) moving.push_back(p->moving);
  }
  CHECK(moving == std::vector<bool>{false, true, false});
  CHECK(waits);
  CHECK(timelines == 1);  // with the first frame, as the track has no hints
}

}  // namespace
}  // namespace tributary::sim
