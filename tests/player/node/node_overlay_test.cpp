// A node's part in the overlay: when it asks whom, and what its swarms get of it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "player/node/node.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::player {
namespace {

using core::conn_of;
using core::Lines;
using core::TorrentId;

constexpr TorrentId kFirst{1};
constexpr TorrentId kSecond{2};
constexpr Endpoint kSource = Endpoint::v4(10, 0, 0, 200, 7200);

struct Setting {
  bool overlay = true;
  bool first_private = false;
  bool second_private = false;
  core::Policy policy = core::Policy::peers_only();
};

core::Metainfo track(std::uint8_t id, bool is_private) {
  core::Metainfo meta = core::make_track({.is_private = is_private});
  meta.info.v2_hash = core::hash_of(id);
  return meta;
}

InfoHash hash(std::uint8_t id) {
  InfoHash out;
  out.bytes[0] = id;
  return out;
}

// Two tracks of a minute each, the first of which is here, and a host that drops all but what the
// overlay does.
class Rig {
 public:
  explicit Rig(const Setting& setting = {})
      : first_(track(1, setting.first_private)),
        second_(track(2, setting.second_private)),
        node_(params(setting)) {
    const core::Layout layout(first_.info);
    node_.open(kFirst, first_, Bitfield(layout.block_count(), true), now_);
    node_.open(kSecond, second_, Bitfield(), now_);
  }

  Node& node() { return node_; }
  TimePoint now() const { return now_; }

  Lines in(const core::Input& input) {
    node_.handle(input, now_);
    return drain();
  }
  // A peer that understands queries and listens at port 7000 + n, with all of the second track or
  // nothing of the first.
  Lines come(TorrentId torrent, int n, bool overlay = true) {
    const auto low = static_cast<std::uint8_t>(n);
    in(core::PeerConnected{torrent,
                           conn_of(n),
                           Endpoint::v4(10, 0, 0, low, 50000),
                           true,
                           {InfoHash{}, core::peer_id_of(n), true, true, true}});
    core::ExtendedHandshake hello;
    hello.listen_port = static_cast<std::uint16_t>(7000 + n);
    hello.overlay = overlay;
    Lines lines = say(torrent, n, hello);
    say(torrent, n,
        torrent == kFirst ? core::Message(core::HaveNone{}) : core::Message(core::HaveAll{}));
    return lines;
  }
  Lines say(TorrentId torrent, int n, core::Message message) {
    return in(core::PeerMessage{torrent, conn_of(n), std::move(message)});
  }
  Lines play(const std::optional<TrackRef>& next = TrackRef{kSecond, core::FileIndex(0)}) {
    const TrackRef first{kFirst, core::FileIndex(0)};
    node_.handle(PlayerInput(Playback{.track = first, .moving = true}), now_);
    node_.handle(PlayerInput(NextTrack{next}), now_);
    return drain();
  }
  Lines pass(Duration time) {
    const TimePoint end = now_ + time;
    Lines lines;
    while (true) {
      now_ = std::clamp(node_.next_deadline(), now_ + 1us, end);
      node_.tick(now_);
      for (std::string& line : drain()) lines.push_back(std::move(line));
      if (now_ == end) return lines;
    }
  }
  // The id of the last query that was sent.
  core::QueryId asked() const { return asked_; }

 private:
  static NodeParams params(const Setting& setting) {
    NodeParams p;
    p.policy = setting.policy;
    p.policy.prefetch_early = false;
    p.peer_id = core::peer_id_of(1000);
    p.listen_port = 6881;
    p.overlay = setting.overlay;
    return p;
  }
  // "1: c3 query 2", "2: connect 7001" and the like.
  Lines drain() {
    Lines lines;
    while (auto action = node_.poll()) {
      const auto* core_action = std::get_if<core::Action>(&*action);
      if (const auto* send = core_action ? std::get_if<core::Send>(core_action) : nullptr) {
        note(*send, lines);
      } else if (const auto* dial =
                     core_action ? std::get_if<core::Connect>(core_action) : nullptr) {
        lines.push_back(std::to_string(dial->torrent.value()) + ": connect " +
                        std::to_string(dial->remote.port));
      }
    }
    return lines;
  }
  void note(const core::Send& send, Lines& lines) {
    const std::string to = std::to_string(send.torrent.value()) + ": c" +
                           std::to_string(send.conn.value() & ~core::kInboundBit.value());
    if (const auto* query = std::get_if<core::OverlayQuery>(&send.message)) {
      asked_ = query->id;
      lines.push_back(to + " query " + std::to_string(query->hops));
    } else if (const auto* answer = std::get_if<core::OverlayAnswer>(&send.message)) {
      lines.push_back(to + (answer->self ? " self" : "") + " " +
                      std::to_string(answer->peers.size()));
    }
  }

  const core::Metainfo first_;
  const core::Metainfo second_;
  Node node_;
  TimePoint now_{};
  core::QueryId asked_;
};

TEST_CASE("the peers of the playing track are asked for the next one when 30 s are left") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.come(kFirst, 2, false);
  CHECK(rig.play().empty());
  CHECK(rig.pass(30s - 1us).empty());
  CHECK(rig.pass(1us) == Lines{"1: c1 query 2"});
  CHECK(rig.pass(20s).empty());
}

TEST_CASE("who is named in an answer is dialled for the next track") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.play();
  REQUIRE(rig.pass(30s) == Lines{"1: c1 query 2"});
  const core::OverlayAnswer answer{rig.asked(), true, {kSource}};
  CHECK(rig.say(kFirst, 1, answer) == Lines{"2: connect 7001", "2: connect 7200"});
  CHECK(rig.node().overlay().counts().found == 2);
}

TEST_CASE("it is asked once more while few are there, and no more when enough are") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.play();
  REQUIRE(rig.pass(30s).size() == 1);
  SUBCASE("few") {
    rig.come(kSecond, 11);
    // The track ends after 30 s; held still, the prefetch stays.
    rig.node().handle(PlayerInput(Playback{.track = {kFirst, core::FileIndex(0)},
                                           .position = 30s,
                                           .moving = false,
                                           .paused = true}),
                      rig.now());
    rig.node().handle(PlayerInput(Playback{
                          .track = {kFirst, core::FileIndex(0)}, .position = 31s, .moving = true}),
                      rig.now() + 1us);
    CHECK(core::with(rig.pass(29s), "query").empty());
    rig.node().handle(PlayerInput(Playback{
                          .track = {kFirst, core::FileIndex(0)}, .position = 35s, .moving = true}),
                      rig.now());
    CHECK(core::with(rig.pass(2s), "query") == Lines{"1: c1 query 2"});
  }
  SUBCASE("enough") {
    for (int n = 11; n < 11 + static_cast<int>(core::kOverlayEnough); ++n) rig.come(kSecond, n);
    rig.node().handle(PlayerInput(Playback{
                          .track = {kFirst, core::FileIndex(0)}, .position = 35s, .moving = true}),
                      rig.now());
    CHECK(core::with(rig.pass(24s), "query").empty());
    rig.node().handle(PlayerInput(Playback{
                          .track = {kFirst, core::FileIndex(0)}, .position = 35s, .moving = true}),
                      rig.now());
    CHECK(core::with(rig.pass(20s), "query").empty());
  }
}

TEST_CASE("a query is answered from all swarms of the node, and passed on over all of them") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.come(kFirst, 2);
  rig.come(kSecond, 3);
  const Lines lines =
      rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(2), core::kOverlayHops});
  // The peer of the second track, and on to the other of the first.
  CHECK(lines == Lines{"1: c1 1", "1: c2 query 1"});
  CHECK(rig.say(kFirst, 2, core::OverlayAnswer{core::QueryId(7), true, {kSource}}) ==
        Lines{"1: c1 2"});
}

TEST_CASE("what is about to be fetched is told as a source of its own") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.play();
  const core::OverlayQuery query{core::QueryId(7), hash(1), 1};
  CHECK(rig.say(kFirst, 1, query) == Lines{"1: c1 self 0"});
  CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(8), hash(2), 1}).empty());
  rig.pass(30s);
  CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(9), hash(2), 1}) ==
        Lines{"1: c1 self 0"});
}

TEST_CASE("a private next track is asked of nobody, and never told of") {
  Rig rig({.second_private = true});
  rig.come(kFirst, 1);
  rig.come(kFirst, 2);
  rig.come(kSecond, 3);
  rig.play();
  CHECK(core::with(rig.pass(59s), "query").empty());
  CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(2), 2}).empty());
}

TEST_CASE("over a private torrent's connections no query goes, and none is heard") {
  Rig rig({.first_private = true});
  rig.come(kFirst, 1);
  rig.come(kSecond, 3);
  rig.play();
  CHECK(core::with(rig.pass(59s), "query").empty());
  CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(2), 2}).empty());
  // One that comes over the public one does not leave by the private one.
  CHECK(rig.say(kSecond, 3, core::OverlayQuery{core::QueryId(8), hash(9), 2}).empty());
}

TEST_CASE("without the overlay nothing is asked and nothing answered") {
  for (const auto& setting :
       {Setting{.overlay = false}, Setting{.policy = core::Policy::cdn_only()}}) {
    Rig rig(setting);
    rig.come(kFirst, 1);
    rig.come(kFirst, 2);
    rig.play();
    CHECK(core::with(rig.pass(59s), "query").empty());
    CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(1), 2}).empty());
  }
}

TEST_CASE("who did not say that it understands queries is not listened to") {
  Rig rig;
  rig.come(kFirst, 1, false);
  rig.come(kFirst, 2);
  rig.play();
  CHECK(rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(1), 2}).empty());
  CHECK(rig.node().overlay().remembered() == 0);
}

TEST_CASE("the next file of the same torrent is asked of nobody: its peers are there") {
  Rig rig;
  rig.come(kFirst, 1);
  CHECK(rig.play(TrackRef{kFirst, core::FileIndex(0)}).empty());
  CHECK(core::with(rig.pass(59s), "query").empty());
}

TEST_CASE("what came over a connection is forgotten with it, that of a closed torrent too") {
  Rig rig;
  rig.come(kFirst, 1);
  rig.say(kFirst, 1, core::OverlayQuery{core::QueryId(7), hash(2), 1});
  REQUIRE(rig.node().overlay().remembered() == 1);
  rig.node().close(kFirst, rig.now());
  rig.in(core::PeerClosed{kFirst, conn_of(1)});
  CHECK(rig.node().overlay().remembered() == 0);
}

TEST_CASE("a flood of queries ends the connection it comes over") {
  Rig rig;
  rig.come(kFirst, 1);
  bool ended = false;
  for (std::uint64_t n = 1; n <= 100; ++n) {
    rig.node().handle(core::Input(core::PeerMessage{
                          kFirst, conn_of(1), core::OverlayQuery{core::QueryId(n), hash(9), 1}}),
                      rig.now());
    while (auto action = rig.node().poll()) {
      const auto* core_action = std::get_if<core::Action>(&*action);
      ended = ended || (core_action && std::holds_alternative<core::Disconnect>(*core_action));
    }
  }
  CHECK(ended);
}

}  // namespace
}  // namespace tributary::player
