#include "tests/scenario/cast/readers.h"

#include <algorithm>
#include <utility>

namespace tributary::sim {
namespace {

constexpr Duration kLook = 100ms;
// What players keep in memory of a stream.
constexpr Duration kAhead = 30s;

TimePoint at(Duration time) { return TimePoint(time); }

}  // namespace

VirtualReader::VirtualReader(World& world, HostId host, core::TorrentId torrent, core::ReaderId id)
    : world_(world), host_(host), torrent_(torrent), id_(id) {}

void VirtualReader::start(Duration position) {
  reads_ = true;
  started_ = world_.now();
  startup_.reset();
  stalled_ = false;
  playhead_ = position;
  from_ = taken_ = timeline().offset_at(position);
  tell(true);
  if (!std::exchange(looking_, true)) look();
}

void VirtualReader::stop() {
  if (std::exchange(reads_, false)) world_.stop_reading(host_, id_);
}

void VirtualReader::look() {
  if (reads_) read_on();
  if (reads_) play_on();
  looking_ = reads_;
  if (reads_) world_.at(world_.now() + kLook, [this](World&) { look(); });
}

void VirtualReader::read_on() {
  const Bytes most = timeline().offset_at(playhead_ + kAhead);
  const Bytes there = world_.store(host_).contiguous_end(torrent_, timeline().time_at(taken_));
  const Bytes until = std::min(most, there);
  if (until <= taken_) return;
  taken_ = until;
  tell(false);
}

void VirtualReader::play_on() {
  const Duration until = timeline().time_at(taken_);
  const bool ready = until >= std::min(playhead_ + kFirstFrame, timeline().duration());
  if (!startup_) {
    if (ready && taken_ > from_) startup_ = world_.now() - started_;
    return;
  }
  if (paused_) return;
  if (stalled_ && until < std::min(playhead_ + kResumeMedia, timeline().duration())) return;
  stalled_ = false;
  playhead_ = std::min(playhead_ + kLook, until);
  if (playhead_ >= timeline().duration()) {
    finished_ = true;
    return stop();
  }
  if (playhead_ < until) return;
  ++stalls_;
  stalled_ = true;
}

void VirtualReader::tell(bool starting) {
  world_.read(host_, {.reader = id_,
                      .track = {torrent_, core::FileIndex(0)},
                      .unread = {taken_, timeline().size()},
                      .starting = starting,
                      .rate = {}});
}

ReadersReport several_readers(const Variation& v) {
  Stage stage(v);
  const std::vector<core::TorrentId> tracks = {stage.add_track(), stage.add_track()};
  for (int i = 0; i < 4; ++i) {
    for (const core::TorrentId track : tracks) stage.add_seed(track, 4_Mbps);
  }
  HostParams wide = stage.client();
  wide.link.down = 20_Mbps;  // twice what the four play
  const HostId host = stage.world.add_node(wide);
  std::vector<std::unique_ptr<VirtualReader>> readers;
  for (std::uint64_t i = 0; i < 4; ++i) {
    readers.push_back(
        std::make_unique<VirtualReader>(stage.world, host, tracks[i % 2], core::ReaderId(i + 1)));
    stage.world.at(at(5s + 3s * static_cast<int>(i)), [reader = readers.back().get(), i](World&) {
      reader->start(20s * static_cast<int>(i));
    });
  }
  stage.world.run_until(at(300s));
  stage.world.check_books();
  ReadersReport report;
  for (const auto& reader : readers) {
    report.startups.push_back(reader->startup().value_or(Duration::max()));
    report.stalls += reader->stalls();
    report.finished += reader->finished() ? 1 : 0;
  }
  report.from_cdn = stage.world.meter(host).from_cdn;
  report.from_peers = stage.world.meter(host).from_peers;
  report.digest = stage.world.digest().value();
  return report;
}

namespace {

// Somebody reads from a CDN alone: what it sent by two moments.
std::pair<Bytes, Bytes> sent_by(const Variation& v, Duration first, Duration second,
                                void (*act)(VirtualReader&)) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  const HostId host = stage.world.add_node(stage.client());
  VirtualReader reader(stage.world, host, track, core::ReaderId(1));
  stage.world.at(at(1s), [&](World&) { reader.start(0s); });
  stage.world.at(at(first), [&](World&) { act(reader); });
  stage.world.run_until(at(first));
  const Bytes before = stage.world.meter(host).from_cdn;
  stage.world.run_until(at(second));
  return {before, stage.world.meter(host).from_cdn};
}

}  // namespace

std::pair<Bytes, Bytes> paused_reader(const Variation& v) {
  return sent_by(v, 60s, 180s, [](VirtualReader& reader) { reader.pause(); });
}

std::pair<Bytes, Bytes> following_reader(const Variation& v) {
  constexpr Duration kBegin = 1s;
  constexpr Duration kLead = 30s;
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  const HostId host = stage.world.add_node(stage.client());
  stage.world.at(at(kBegin), [&](World& world) {
    world.read(host, {.reader = core::ReaderId(1),
                      .track = {track, core::FileIndex(0)},
                      .unread = {0_B, 1_MiB},
                      .rate = 10'000_Mbps,
                      .lead = kLead});
  });
  stage.world.run_until(at(kBegin + kLead / 2));
  const Bytes before = stage.world.meter(host).from_cdn;
  stage.world.run_until(at(kBegin + kLead));
  return {before, stage.world.meter(host).from_cdn};
}

std::pair<Bytes, Bytes> gone_reader(const Variation& v) {
  return sent_by(v, 5s, 100s, [](VirtualReader& reader) { reader.stop(); });
}

}  // namespace tributary::sim
