#include "engine/sim/replay.h"

#include <doctest/doctest.h>

namespace tributary::sim {
namespace {

constexpr std::int64_t kTorrent = 7;

RecordedTrack track_of(Duration duration, BitRate rate) {
  RecordedTrack track;
  track.torrent = kTorrent;
  track.title = "t";
  track.size = bytes_in(duration, rate);
  track.piece_length = 16_KiB;
  track.duration = duration;
  return track;
}

RecordedPeer seed_of(BitRate rate) {
  RecordedPeer peer;
  peer.torrent = kTorrent;
  peer.from = TimePoint(200ms);
  peer.offers.push_back({TimePoint(250ms), true, {}});
  peer.rates.emplace_back(TimePoint(1s), rate);
  return peer;
}

RecordedRequest request_at(TimePoint at, Duration first_byte, BitRate rate) {
  RecordedRequest request;
  request.at = at;
  request.first_byte = first_byte;
  request.rate = rate;
  return request;
}

// A minute of music, two seeds of 1 Mbit/s, and a CDN that is fast.
Recording session() {
  Recording made;
  made.policy = "adaptive";
  made.start = TimePoint(100ms);
  made.end = TimePoint(62s);
  made.tracks.push_back(track_of(60s, 160_kbps));
  made.peers = {seed_of(1_Mbps), seed_of(1_Mbps)};
  made.requests.push_back(request_at(TimePoint(100ms), 30ms, 20_Mbps));
  return made;
}

TEST_CASE("a session is replayed to its end under each policy, from the sources that it uses") {
  const Recording recording = session();
  const ReplayReport adaptive = replay(recording, core::Policy::adaptive());
  const ReplayReport cdn = replay(recording, core::Policy::cdn_only());
  const ReplayReport peers = replay(recording, core::Policy::peers_only());
  const Bytes size = recording.tracks[0].size;
  for (const ReplayReport& report : {adaptive, cdn, peers}) {
    CAPTURE(report.policy);
    CHECK(report.finished);
    CHECK(report.figures.played == 60s);
    CHECK(report.figures.stalls == 0);
    CHECK(report.figures.bytes.cdn() + report.figures.bytes.peers >= size);
  }
  CHECK(cdn.figures.bytes.peers == 0_B);
  CHECK(peers.figures.bytes.cdn() == 0_B);
  CHECK(adaptive.figures.bytes.peers > size / 2);
  CHECK(adaptive.figures.bytes.cdn() > 0_B);
  // A first byte, and a frame at 20 Mbit/s.
  CHECK(cdn.figures.startup >= 30ms);
  CHECK(cdn.figures.startup <= 60ms);
  CHECK(peers.figures.startup > cdn.figures.startup);
}

TEST_CASE("the same recording gives the same digest") {
  const Recording recording = session();
  const ReplayReport once = replay(recording, core::Policy::adaptive());
  CHECK(replay(recording, core::Policy::adaptive()).digest == once.digest);
  CHECK(replay(recording, core::Policy::spotify()).digest != once.digest);
}

TEST_CASE("peers give as fast as they did, and have what they had") {
  Recording slow = session();
  for (RecordedPeer& peer : slow.peers) peer.rates = {{TimePoint(1s), 40_kbps}};
  const ReplayReport starved = replay(slow, core::Policy::peers_only());
  CHECK(starved.figures.stalls + starved.figures.startup / 1s > 10);
  Recording half = session();
  const auto pieces = static_cast<std::int32_t>(half.tracks[0].size / half.tracks[0].piece_length);
  for (RecordedPeer& peer : half.peers) {
    peer.offers = {{TimePoint(250ms), false, {}}};
    for (std::int32_t p = 0; p < pieces / 2; ++p) peer.offers[0].pieces.push_back(p);
  }
  const ReplayReport report = replay(half, core::Policy::adaptive());
  CHECK(report.figures.bytes.peers <= half.tracks[0].piece_length * (pieces / 2));
  CHECK(report.figures.bytes.cdn() >=
        half.tracks[0].size - half.tracks[0].piece_length * pieces / 2);
  // What they come to have later they give later.
  for (RecordedPeer& peer : half.peers) {
    peer.offers.push_back({TimePoint(5s), false, {}});
    for (std::int32_t p = pieces / 2; p <= pieces; ++p) peer.offers[1].pieces.push_back(p);
  }
  const ReplayReport later = replay(half, core::Policy::adaptive());
  CHECK(later.figures.bytes.peers > report.figures.bytes.peers);
}

TEST_CASE("peers that leave, or come only after the end, give nothing any more") {
  Recording recording = session();
  for (RecordedPeer& peer : recording.peers) peer.until = TimePoint(3s);
  const ReplayReport gone = replay(recording, core::Policy::adaptive());
  CHECK(gone.figures.bytes.peers <= bytes_in(3s, 2_Mbps));
  CHECK(gone.figures.stalls == 0);
  CHECK(gone.finished);
  for (RecordedPeer& peer : recording.peers) {
    peer.until = kNever;
    peer.from = TimePoint(2h);
    peer.offers[0].at = TimePoint(2h);
  }
  CHECK(replay(recording, core::Policy::adaptive()).figures.bytes.peers == 0_B);
}

TEST_CASE("a peer that dialled us does so again") {
  Recording recording = session();
  for (RecordedPeer& peer : recording.peers) peer.inbound = true;
  CHECK(replay(recording, core::Policy::adaptive()).figures.bytes.peers > 0_B);
}

TEST_CASE("a CDN that failed fails, one that was slow is slow") {
  Recording recording = session();
  recording.peers.clear();
  recording.requests[0].first_byte = 2s;
  const ReplayReport slow = replay(recording, core::Policy::adaptive());
  CHECK(slow.figures.startup >= 2s);
  recording.requests[0] = request_at(TimePoint(100ms), 30ms, 200_kbps);
  RecordedRequest failed;
  failed.at = TimePoint(2s);
  failed.failed = true;
  recording.requests.push_back(failed);
  recording.requests.push_back(request_at(TimePoint(40s), 30ms, 20_Mbps));
  const ReplayReport broken = replay(recording, core::Policy::adaptive());
  CHECK(broken.finished);
  CHECK(broken.figures.stalled > 20s);
}

TEST_CASE("the listener pauses, seeks, skips and stops when he did") {
  Recording recording = session();
  recording.tracks.push_back(track_of(60s, 160_kbps));
  recording.tracks[1].torrent = kTorrent + 1;
  using Kind = RecordedAction::Kind;
  recording.actions = {
      {TimePoint(5s), Kind::kTogglePause, {}}, {TimePoint(15s), Kind::kTogglePause, {}},
      {TimePoint(20s), Kind::kSeek, 20s},      {TimePoint(25s), Kind::kNext, {}},
      {TimePoint(30s), Kind::kPrevious, {}},   {TimePoint(40s), Kind::kStop, {}}};
  const ReplayReport report = replay(recording, core::Policy::adaptive());
  CHECK(report.finished);
  CHECK(report.figures.played > 28s);
  CHECK(report.figures.played < 30s);
}

TEST_CASE("a track that was to end early does so") {
  Recording recording = session();
  recording.from = 10s;
  recording.until = 15s;
  const ReplayReport report = replay(recording, core::Policy::adaptive());
  CHECK(report.finished);
  CHECK(report.figures.played >= 5s);
  CHECK(report.figures.played <= 5100ms);
}

TEST_CASE("what was cached is not fetched, and no figure is assumed that is known") {
  Recording recording = session();
  const ReplayReport known = replay(recording, core::Policy::adaptive());
  CHECK(known.peer_rates_known);
  CHECK(known.cdn_known);
  recording.tracks[0].cached = true;
  recording.requests.clear();
  for (RecordedPeer& peer : recording.peers) peer.rates.clear();
  const ReplayReport report = replay(recording, core::Policy::adaptive());
  CHECK(report.figures.bytes.cdn() + report.figures.bytes.peers == 0_B);
  CHECK_FALSE(report.peer_rates_known);
  CHECK_FALSE(report.cdn_known);
}

}  // namespace
}  // namespace tributary::sim
