#include "player/media/playback_pipeline.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "player/media/scan.h"
#include "tests/player/media/media_fixture.h"
#include "tests/player/media/virtual_clock.h"

namespace tributary::player {
namespace {

using Kind = PipelineEvent::Kind;

// Blocks at an offset until released or cancelled; or lets virtual time pass there, once.
class ObstructedSource final : public ByteSource {
 public:
  ObstructedSource(std::vector<std::uint8_t> bytes, std::int64_t from)
      : inner_(bytes), from_(from) {}

  Bytes size() const override { return inner_.size(); }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override {
    std::unique_lock lock(mutex_);
    if (offset.count() >= from_) {
      if (clock) {
        clock->advance(std::exchange(delay, Duration::zero()));
      } else {
        blocked_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_ || cancelled_; });
      }
    }
    return inner_.read(offset, out);
  }
  void cancel() override {
    const std::lock_guard lock(mutex_);
    inner_.cancel();
    cancelled_ = true;
    changed_.notify_all();
  }
  void wait_until_blocked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return blocked_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  VirtualClock* clock = nullptr;  // set: no blocking, but this delay, once
  Duration delay{};

 private:
  MemorySource inner_;
  const std::int64_t from_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool blocked_ = false, open_ = false, cancelled_ = false;
};

// A list of files; some may have a prepared source.
class Playlist final : public TrackProvider {
 public:
  explicit Playlist(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  std::optional<Track> at(std::size_t i) const {
    if (i >= paths_.size()) return std::nullopt;
    Track t;
    t.id = TrackId(i);
    if (i < stops.size()) t.stop = stops[i];
    return t;
  }
  std::optional<Track> next(TrackId after) override { return at(after.value() + 1); }
  std::optional<Track> previous(TrackId before) override { return at(before.value() - 1); }
  Result<std::shared_ptr<ByteSource>> open(const Track& track) override {
    const std::size_t i = track.id.value();
    if (on_open) on_open(i);
    if (i < prepared.size() && prepared[i]) {
      return std::shared_ptr<ByteSource>(std::exchange(prepared[i], nullptr));
    }
    return std::shared_ptr<ByteSource>(std::make_shared<MemorySource>(read_all(paths_[i])));
  }

  std::vector<std::shared_ptr<ByteSource>> prepared;
  std::vector<Duration> stops;
  std::function<void(std::size_t)> on_open;

 private:
  const std::vector<std::string> paths_;
};

std::string media(const std::string& name) {
  for (const MediaCase& c : media_cases()) {
    if (c.name == name) return make_media(name, c.arguments);
  }
  REQUIRE_MESSAGE(false, name);
  return {};
}

// A pipeline with its wake-up, and all events it ever gave.
struct Player {
  Player(AudioSink& sink, MediaClock& clock, Playlist& list, PipelineOptions options = {})
      : pipeline(sink, clock, list, with_wake(std::move(options))) {}

  PipelineOptions with_wake(PipelineOptions options) {
    options.wake = [this] {
      const std::lock_guard lock(mutex);
      ++wakes;
      changed.notify_all();
    };
    return options;
  }
  bool saw(Kind kind) const { return count(kind) > 0; }
  std::int64_t count(Kind kind) const {
    return std::count_if(events.begin(), events.end(), [&](auto& e) { return e.kind == kind; });
  }
  const PipelineEvent& first(Kind kind) const {
    return *std::find_if(events.begin(), events.end(), [&](auto& e) { return e.kind == kind; });
  }
  void wait_for(Kind kind) {
    int seen = -1;
    for (;;) {
      for (PipelineEvent& e : pipeline.poll()) events.push_back(std::move(e));
      if (saw(kind)) return;
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return wakes != seen; });
      seen = wakes;
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0;
  std::vector<PipelineEvent> events;
  PlaybackPipeline pipeline;  // last: its thread wakes us
};

std::vector<std::uint8_t> joined(std::vector<std::uint8_t> a, const std::vector<std::uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_CASE("two tracks in one WAV file are their samples one after the other") {
  VirtualClock clock;
  Playlist list({media("cbr.mp3"), media("first.m4a"), media("tones.flac")});
  const std::string path = temp_dir() + "/gapless.wav";
  auto sink = make_wav_sink(path, {}, clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  player.pipeline.stop();
  const auto a = ffmpeg_pcm(media("cbr.mp3"));
  const auto b = ffmpeg_pcm(media("first.m4a"));
  const auto c = ffmpeg_pcm(media("tones.flac"));
  CHECK(ffmpeg_pcm(path) == joined(joined(a, b), c));
  CHECK(player.count(Kind::kTrackStarted) == 3);
  CHECK(player.count(Kind::kTrackFinished) == 3);
  CHECK(player.count(Kind::kFirstFrame) == 1);
  CHECK_FALSE(player.saw(Kind::kStalled));
  CHECK_FALSE(player.saw(Kind::kError));
  CHECK(player.pipeline.stats().longest_gap == 0s);
}

TEST_CASE("a later track of another rate is brought to the first one's") {
  VirtualClock clock;
  Playlist list({media("tones.flac"), media("surround.flac")});
  const std::string path = temp_dir() + "/mixed.wav";
  auto sink = make_wav_sink(path, {SampleKind::kS16, false}, clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  player.pipeline.stop();
  const auto a = ffmpeg_pcm(media("tones.flac"));
  const auto b = ffmpeg_pcm(media("surround.flac"), "s16le", "-ar 44100 -ac 2");
  const auto got = ffmpeg_pcm(path);
  REQUIRE(got.size() > a.size());
  CHECK(std::equal(a.begin(), a.end(), got.begin()));
  CHECK(got.size() - a.size() == b.size());
}

TEST_CASE("a late byte makes one stall of exactly the time that was missing") {
  VirtualClock clock;
  Playlist list({media("phone.wav")});
  const auto bytes = read_all(media("phone.wav"));
  auto source = std::make_shared<ObstructedSource>(bytes, 96 * 1024);
  source->clock = &clock;
  source->delay = 5s;
  list.prepared = {source};
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  // Without the delay the track takes its 7 s; all beyond is the stall.
  const Duration played = clock.now() - TimePoint();
  CHECK(player.count(Kind::kStalled) == 1);
  REQUIRE(player.count(Kind::kResumed) == 1);
  CHECK(played == 7s + player.first(Kind::kResumed).duration);
  CHECK(player.first(Kind::kResumed).duration > 2900ms);
  CHECK(player.first(Kind::kResumed).duration < 5s);
  CHECK(player.pipeline.stats().stalls == 1);
  CHECK(player.pipeline.stats().stalled == player.first(Kind::kResumed).duration);
}

TEST_CASE("a stall is seen while it lasts") {
  VirtualClock clock;
  Playlist list({media("phone.wav")});
  auto source = std::make_shared<ObstructedSource>(read_all(media("phone.wav")), 96 * 1024);
  list.prepared = {source};
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  source->wait_until_blocked();
  CHECK(player.pipeline.needs().waiting);
  CHECK(player.pipeline.needs().read_offset == Bytes(96 * 1024));
  clock.advance(10s);
  player.wait_for(Kind::kStalled);
  CHECK_FALSE(player.saw(Kind::kResumed));
  CHECK_FALSE(player.pipeline.position().playing);
  source->release();
  player.wait_for(Kind::kEnded);
  CHECK(player.count(Kind::kStalled) == 1);
  CHECK(player.count(Kind::kResumed) == 1);
  CHECK(player.first(Kind::kStalled).at + player.first(Kind::kResumed).duration ==
        player.first(Kind::kResumed).at);
}

TEST_CASE("a late next track is a gap and no stall") {
  VirtualClock clock;
  Playlist list({media("phone.wav"), media("phone.wav")});
  list.on_open = [&](std::size_t i) {
    if (i == 1) clock.advance(3s);
  };
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  CHECK_FALSE(player.saw(Kind::kStalled));
  CHECK(player.pipeline.stats().longest_gap == clock.now() - TimePoint(14s));
  CHECK(player.pipeline.stats().longest_gap > 900ms);
}

TEST_CASE("a seek gives the sound from there on, even out of a blocked read") {
  VirtualClock clock;
  Playlist list({media("tones.flac")});
  auto source = std::make_shared<ObstructedSource>(read_all(media("tones.flac")), 400'000);
  list.prepared = {source};
  const std::string path = temp_dir() + "/seek.wav";
  auto sink = make_wav_sink(path, {}, clock);
  PipelineOptions options;
  options.start_paused = true;
  Player player(*sink, clock, list, options);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kFirstFrame);
  player.pipeline.seek(5s);  // the source would never give these bytes
  player.wait_for(Kind::kSeeked);
  CHECK(player.pipeline.position().time == 5s);
  player.pipeline.play();
  player.wait_for(Kind::kEnded);
  player.pipeline.stop();
  const auto whole = ffmpeg_pcm(media("tones.flac"));
  CHECK(ffmpeg_pcm(path) == std::vector<std::uint8_t>(whole.begin() + 5 * 44100 * 4, whole.end()));
}

TEST_CASE("skips go by the track that is heard") {
  VirtualClock clock;
  Playlist list({media("phone.wav"), media("phone.ogg"), media("tones.opus")});
  auto sink = make_null_sink(clock);
  PipelineOptions options;
  options.start_paused = true;
  Player player(*sink, clock, list, options);
  const auto opened = [&](std::size_t n) {
    while (player.count(Kind::kFirstFrame) < static_cast<std::int64_t>(n)) {
      player.wait_for(Kind::kFirstFrame);
      for (PipelineEvent& e : player.pipeline.poll()) player.events.push_back(std::move(e));
      std::this_thread::yield();
    }
    return player.pipeline.position().track->value();
  };
  player.pipeline.start(*list.at(0));
  CHECK(opened(1) == 0);
  player.pipeline.skip_next();
  CHECK(opened(2) == 1);
  player.pipeline.skip_next();
  CHECK(opened(3) == 2);
  player.pipeline.skip_previous();
  CHECK(opened(4) == 1);
  player.pipeline.skip_previous();
  player.pipeline.play();
  player.wait_for(Kind::kEnded);
  CHECK(player.first(Kind::kTrackStarted).track == TrackId(0));
  CHECK(player.count(Kind::kTrackStarted) == 3);
}

TEST_CASE("a broken track is reported and passed over") {
  VirtualClock clock;
  const std::string junk = temp_dir() + "/junk.mp3";
  std::vector<std::uint8_t> bytes(40'000);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  write_all(junk, bytes);
  const std::string empty = temp_dir() + "/empty.mp3";
  write_all(empty, {});
  Playlist list({junk, empty, media("phone.ogg")});
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  CHECK(player.count(Kind::kError) == 2);
  CHECK(player.first(Kind::kTrackStarted).track == TrackId(2));
  CHECK(player.count(Kind::kTrackFinished) == 1);
}

TEST_CASE("a film plays its sound and counts its pictures") {
  VirtualClock clock;
  Playlist list({media("film.mp4")});
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  CHECK(player.pipeline.stats().video_packets == 175);
  CHECK(clock.now() > TimePoint(6900ms));
}

TEST_CASE("a silent film lasts as long as its pictures") {
  VirtualClock clock;
  Playlist list({make_media("silent.mp4", "-f lavfi -i testsrc=s=160x120:r=25:d=3 -c:v libx264")});
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  CHECK(clock.now() >= TimePoint(2900ms));
  CHECK(clock.now() <= TimePoint(3100ms));
  CHECK(player.pipeline.stats().video_packets == 75);
}

TEST_CASE("a track stops at its stop time to the sample") {
  VirtualClock clock;
  Playlist list({media("tones.flac"), media("tones.flac")});
  list.stops = {1500ms, 500ms};
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  player.wait_for(Kind::kEnded);
  CHECK(clock.now() == TimePoint(2s));
}

TEST_CASE("a pipeline stops while its source blocks") {
  SteadyMediaClock clock;
  Playlist list({media("tones.flac")});
  auto source = std::make_shared<ObstructedSource>(read_all(media("tones.flac")), 0);
  list.prepared = {source};
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  source->wait_until_blocked();
  const TimePoint before = clock.now();
  player.pipeline.stop();
  MESSAGE("stopped after ", (clock.now() - before).count(), " us");
  CHECK(player.pipeline.poll().empty());
}

TEST_CASE("commands from several threads end in a whole state") {
  VirtualClock clock;
  Playlist list({media("phone.ogg"), media("tones.opus"), media("cbr.mp3")});
  auto sink = make_null_sink(clock);
  Player player(*sink, clock, list);
  player.pipeline.start(*list.at(0));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        if (t == 0) player.pipeline.seek(std::chrono::milliseconds(i * 100));
        if (t == 1) i % 2 ? player.pipeline.skip_previous() : player.pipeline.skip_next();
        if (t == 2) i % 2 ? player.pipeline.pause() : player.pipeline.play();
        static_cast<void>(player.pipeline.position());
        static_cast<void>(player.pipeline.needs());
      }
    });
  }
  for (std::thread& t : threads) t.join();
  player.pipeline.play();
  player.pipeline.start(*list.at(1));
  player.events.clear();
  static_cast<void>(player.pipeline.poll());
  player.wait_for(Kind::kEnded);
  CHECK_FALSE(player.saw(Kind::kError));
}

}  // namespace
}  // namespace tributary::player
