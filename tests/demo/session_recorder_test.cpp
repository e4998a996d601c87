#include "player/client/session_recorder.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "demo/loadtest/recording_file.h"

namespace tributary::demo {
namespace {

using player::Happening;
using player::ListenerAction;
using player::SessionRecorder;

constexpr core::TorrentId kTorrent{3};
constexpr core::ConnId kPeer{5};
constexpr cdn::HttpId kRequest{8};

player::OpenTorrent open_torrent() {
  auto metainfo = std::make_shared<core::Metainfo>();
  metainfo->info.name = "a \"song\"";
  metainfo->info.piece_length = 32_KiB;
  metainfo->info.total_size = 100_KiB;
  metainfo->info.v2_hash.emplace();
  core::FileEntry file;
  file.path = "song";
  file.length = 100_KiB;
  metainfo->info.files.push_back(file);
  metainfo->edges = {"http://cdn.test/song"};
  metainfo->hints.push_back({60s, {{30s, 40_KiB}}});
  player::OpenTorrent open;
  open.id = kTorrent;
  open.info = std::shared_ptr<const core::TorrentInfo>(metainfo, &metainfo->info);
  open.layout = std::make_shared<core::Layout>(*open.info);
  open.metainfo = std::move(metainfo);
  return open;
}

// A session that is told by and by, and its lines.
struct Told {
  std::vector<std::string> lines;
  TimePoint start{100s};
  SessionRecorder recorder;

  Told() : recorder([this](const std::string& line) { lines.push_back(line); }, options(), start) {}
  static player::ClientOptions options() {
    player::ClientOptions options;
    options.host.policy = core::Policy::adaptive();
    options.host.down = 8_Mbps;
    return options;
  }
  template <class T>
  void happened(Duration at, const T& value) {
    recorder.happened(Happening(&value), start + at);
  }
  void input(Duration at, const core::Input& input) { happened(at, input); }
  void action(Duration at, const core::Action& action) { happened(at, action); }
  void message(Duration at, core::Message message) {
    input(at, core::PeerMessage{kTorrent, kPeer, std::move(message)});
  }
  void open() {
    const player::OpenTorrent torrent = open_torrent();
    const Bitfield none;
    recorder.happened(player::Opened{&torrent, &none}, start);
  }
  void play(Duration at) {
    happened(at, player::PlayerInput(
                     player::Playback{{kTorrent, core::FileIndex(0)}, 0s, false, true, false}));
  }
  sim::Recording parsed() const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    auto recording = parse_recording(text, "told");
    if (!recording) FAIL(recording.error().message);
    return *std::move(recording);
  }
};

TEST_CASE("what is told of a session can be read as the same session") {
  Told told;
  told.open();
  told.play(10ms);
  told.play(20ms);
  told.action(30ms, core::Connect{kTorrent, kPeer, Endpoint::v4(127, 0, 0, 1, 1), {}});
  told.input(50ms, core::PeerConnected{kTorrent, kPeer, Endpoint::v4(127, 0, 0, 1, 1), false, {}});
  told.message(60ms, core::BitfieldMessage{{0x60}});
  told.message(70ms, core::Unchoke{});
  const core::BlockSpan span{core::PieceIndex(1), 0_B, 16_KiB};
  for (int i = 0; i < 4; ++i) told.action(100ms, core::Send{kTorrent, kPeer, core::Request{span}});
  for (int i = 1; i <= 4; ++i) told.message(100ms + i * 131072us, core::Piece{span, {}});
  told.message(2s, core::Have{core::PieceIndex(3)});
  told.input(4s, core::PeerClosed{kTorrent, kPeer});
  told.recorder.acted(ListenerAction::kSeek, -10s, told.start + 5s);
  told.recorder.ended({}, told.start + 6s);
  const sim::Recording recording = told.parsed();
  CHECK(recording.down == 8_Mbps);
  CHECK(recording.start == TimePoint(10ms));
  REQUIRE(recording.tracks.size() == 1);
  CHECK(recording.tracks[0].title == "song");
  CHECK(recording.tracks[0].size == 100_KiB);
  CHECK(recording.tracks[0].piece_length == 32_KiB);
  CHECK(recording.tracks[0].duration == 60s);
  CHECK(recording.tracks[0].on_cdn);
  CHECK_FALSE(recording.tracks[0].cached);
  REQUIRE(recording.peers.size() == 1);
  const sim::RecordedPeer& peer = recording.peers[0];
  CHECK(peer.round_trip == 10ms);
  CHECK(peer.from == TimePoint(50ms));
  CHECK(peer.until == TimePoint(4s));
  CHECK(peer.offers[0].pieces == std::vector<std::int32_t>{1, 2});
  CHECK(peer.offers[1].pieces == std::vector<std::int32_t>{3});
  // 16 KiB every 131 ms while something was asked for, whatever the pause after it.
  REQUIRE_FALSE(peer.rates.empty());
  CHECK(peer.rates[0].second == 1_Mbps);
  REQUIRE(recording.actions.size() == 1);
  CHECK(recording.actions[0].by == -10s);
}

TEST_CASE("a choke is told with whether anything was wanted") {
  Told told;
  told.open();
  told.play(10ms);
  told.input(50ms, core::PeerConnected{kTorrent, kPeer, Endpoint::v4(127, 0, 0, 1, 1), false, {}});
  told.action(60ms, core::Send{kTorrent, kPeer, core::Interested{}});
  told.message(70ms, core::Choke{});
  CHECK(nlohmann::json::parse(told.lines.back())["wanted"] == true);
  told.action(80ms, core::Send{kTorrent, kPeer, core::NotInterested{}});
  told.message(90ms, core::Choke{});
  CHECK(nlohmann::json::parse(told.lines.back())["wanted"] == false);
}

TEST_CASE("a request to the CDN is told when it is over, a failed one as such") {
  Told told;
  told.open();
  told.play(10ms);
  cdn::HttpGet get;
  get.id = kRequest;
  get.torrent = kTorrent;
  told.happened(20ms, cdn::HttpAction(get));
  told.happened(50ms, cdn::HttpInput(cdn::HttpFirstByte{kRequest}));
  cdn::HttpDone done;
  done.id = kRequest;
  done.status = 206;
  done.received = 100_KiB;
  told.happened(152400us, cdn::HttpInput(done));
  told.happened(200ms, cdn::HttpAction(get));
  done.outcome = cdn::HttpOutcome::kServerError;
  told.happened(210ms, cdn::HttpInput(done));
  const sim::Recording recording = told.parsed();
  REQUIRE(recording.requests.size() == 2);
  CHECK(recording.requests[0].at == TimePoint(20ms));
  CHECK(recording.requests[0].first_byte == 30ms);
  CHECK(recording.requests[0].rate == 8_Mbps);
  CHECK_FALSE(recording.requests[0].failed);
  CHECK(recording.requests[1].failed);
}

TEST_CASE("who is sent away by us is told so, and of whom nobody has heard nothing is told") {
  Told told;
  told.open();
  told.play(10ms);
  told.input(20ms, core::PeerClosed{kTorrent, core::ConnId(9)});
  told.input(50ms, core::PeerConnected{kTorrent, kPeer, Endpoint::v4(127, 0, 0, 1, 1), true, {}});
  told.action(60ms, core::Disconnect{kTorrent, kPeer, "enough"});
  told.input(61ms, core::PeerClosed{kTorrent, kPeer});
  const auto last = nlohmann::json::parse(told.lines.back());
  CHECK(last["event"] == "gone");
  CHECK(last["by_us"] == true);
  CHECK(told.lines.size() == 5);
  CHECK(told.parsed().peers[0].inbound);
}

}  // namespace
}  // namespace tributary::demo
