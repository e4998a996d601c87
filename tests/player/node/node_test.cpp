#include "player/node/node.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "tests/engine/core/rig/describe.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::player {
namespace {

using core::Lines;
using core::TorrentId;
using core::with;

constexpr TorrentId kFirst{1};
constexpr TorrentId kSecond{2};
constexpr TrackRef kFirstTrack{kFirst, core::FileIndex(0)};
constexpr TrackRef kSecondTrack{kSecond, core::FileIndex(0)};

core::Metainfo track(std::uint8_t id) {
  core::Metainfo meta = core::make_track({});
  meta.info.v2_hash = core::hash_of(id);
  meta.edges = {"http://cdn/"};
  return meta;
}

// A node with two tracks of a minute, a second a block, and a host that fetches and hashes at once.
class NodeRig {
 public:
  explicit NodeRig(const core::Policy& policy) : node_(params(policy)) {
    node_.open(kFirst, first_, Bitfield(), now_);
    node_.open(kSecond, second_, Bitfield(), now_);
    drain();
  }

  Node& node() { return node_; }
  TimePoint now() const { return now_; }

  template <class Input>
  Lines in(const Input& input) {
    node_.handle(input, now_);
    return drain();
  }
  Lines player(const PlayerInput& input) { return in(input); }
  Lines play(const TrackRef& what, Duration position, bool moving = true) {
    return player(
        Playback{.track = what, .position = position, .moving = moving, .paused = !moving});
  }
  Lines next(std::optional<TrackRef> what) { return player(NextTrack{what}); }

  // Somebody reads the track from that block on; a block lasts a second.
  Lines reads(int who, const TrackRef& what, int block, bool starting) {
    return player(Reading{.reader = core::ReaderId(static_cast<std::uint64_t>(who)),
                          .track = what,
                          .unread = {core::kBlockSize * block, core::kBlockSize * 60},
                          .starting = starting,
                          .rate = {}});
  }
  Lines stops(int who) {
    return player(ReadingEnded{core::ReaderId(static_cast<std::uint64_t>(who))});
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
  // A complete peer of the torrent that has unchoked us and never answers.
  Lines seed(TorrentId torrent, int n) {
    const core::ConnId conn = core::conn_of(n);
    const core::Handshake hello{InfoHash{}, core::peer_id_of(n), true, true, true};
    const auto low = static_cast<std::uint8_t>(n);
    core::Input input =
        core::PeerConnected{torrent, conn, Endpoint::v4(10, 0, 0, low, 1), true, hello};
    Lines lines = in(input);
    for (const core::Message& m :
         {core::Message(core::HaveAll{}), core::Message(core::Unchoke{})}) {
      input = core::PeerMessage{torrent, conn, m};
      for (std::string& line : in(input)) lines.push_back(std::move(line));
    }
    return lines;
  }
  Lines gives(TorrentId torrent, int n, int block) {
    const core::BlockSpan span = node_.swarm(torrent)->layout().span_of(core::BlockIndex(block));
    const core::Input input =
        core::PeerMessage{torrent, core::conn_of(n), core::Piece{span, core::BufferId(++buffers_)}};
    return in(input);
  }

 private:
  static NodeParams params(const core::Policy& policy) {
    NodeParams p;
    p.policy = policy;
    p.peer_id = core::peer_id_of(1000);
    return p;
  }

  Lines drain() {
    Lines lines;
    while (auto action = node_.poll()) {
      std::visit([&](const auto& a) { perform(a, lines); }, *action);
    }
    return lines;
  }
  void perform(const cdn::HttpAction& action, Lines& lines) {
    if (const auto* cancel = std::get_if<cdn::HttpCancel>(&action)) {
      node_.handle(
          cdn::HttpInput(cdn::HttpDone{cancel->id, cdn::HttpOutcome::kCancelled, 0, {}, {}}), now_);
      return lines.push_back("cancel get");
    }
    const auto& get = std::get<cdn::HttpGet>(action);
    lines.push_back(std::to_string(get.torrent.value()) + ": get " +
                    core::range_text({get.cuts.front().block, get.cuts.back().block + 1}));
    asked_url_ = get.parts.front().url;
    if (serves_) serve(get);
  }
  void serve(const cdn::HttpGet& get) {
    Bytes size;
    node_.handle(cdn::HttpInput(cdn::HttpFirstByte{get.id}), now_);
    for (const auto& cut : get.cuts) {
      node_.handle(cdn::HttpInput(cdn::HttpBlock{get.id, cut.block, core::BufferId(++buffers_)}),
                   now_);
      size += cut.length;
    }
    node_.handle(cdn::HttpInput(cdn::HttpDone{get.id, cdn::HttpOutcome::kOk, 206, {}, size}), now_);
  }
  void perform(const core::Action& action, Lines& lines) {
    if (const auto* verify = std::get_if<core::Verify>(&action)) {
      const core::Input good =
          core::Verified{verify->torrent, verify->blocks, true, {}, verify->id};
      return node_.handle(good, now_);
    }
    if (std::holds_alternative<core::Store>(action)) return;
    lines.push_back(std::visit([this](const auto& a) { return text(a); }, action));
  }
  template <class A>
  std::string text(const A& a) const {
    std::string prefix;
    core::TorrentId torrent = kFirst;
    if constexpr (requires { a.torrent; }) {
      torrent = a.torrent;
      prefix = std::to_string(torrent.value()) + ": ";
    }
    return prefix + core::describe(a, node_.swarm(torrent)->layout());
  }

 public:
  bool serves_ = true;     // the CDN answers, at once
  std::string asked_url_;  // of the CDN, last

 private:
  const core::Metainfo first_ = track(1);
  const core::Metainfo second_ = track(2);
  Node node_;
  TimePoint now_{};
  std::uint64_t buffers_ = 0;
};

TEST_CASE(
    "the next track is asked of peers when 30 s are left, of the server at the policy's time") {
  for (const auto& rule : {std::pair{core::Policy::adaptive(), "2: get 0-10"},
                           std::pair{core::Policy::spotify(), "2: get 0-15"}}) {
    const core::Policy policy = rule.first;
    const std::string head = rule.second;
    CAPTURE(policy.name);
    NodeRig rig(policy);
    rig.seed(kSecond, 1);
    Lines lines = rig.play(kFirstTrack, 0s);
    for (std::string& line : rig.next(kSecondTrack)) lines.push_back(line);
    for (std::string& line : rig.pass(30s - 1us)) lines.push_back(line);
    CHECK(with(lines, "2: ").empty());
    CHECK(rig.node().prefetch_stage() == prefetch::PrefetchStage::kIdle);
    lines = rig.pass(1us);
    CHECK(with(lines, "2: c1: interested").size() == 1);
    CHECK(with(lines, "2: c1: request").size() == 5);
    CHECK(rig.node().prefetch_stage() == prefetch::PrefetchStage::kPeers);
    CHECK(with(rig.pass(20s - 1us), "2: get").empty());  // the peer is silent
    CHECK(with(rig.pass(1us), "2: get") == Lines{head});
    CHECK(with(rig.pass(5s), "2: get").empty());
  }
}

TEST_CASE("where each byte costs nobody is asked for more of the next track than its head") {
  NodeRig rig(core::Policy::adaptive().metered());
  rig.seed(kSecond, 1);
  rig.play(kFirstTrack, 0s);
  rig.next(kSecondTrack);
  CHECK(with(rig.pass(50s - 1us), "2: ").empty());
  rig.pass(10s);
  const core::Swarm& second = *rig.node().swarm(kSecond);
  CHECK(second.missing(kSecondTrack.file, {0_B, core::kBlockSize * 10}) == 0_B);
  CHECK(second.have_blocks().count() == 10);
}

TEST_CASE("a skip cancels what was asked for the next track") {
  NodeRig rig(core::Policy::adaptive());
  rig.play(kFirstTrack, 0s);
  rig.next(kSecondTrack);
  rig.pass(49s);
  rig.serves_ = false;
  CHECK(with(rig.pass(1s), "2: get") == Lines{"2: get 0-10"});
  CHECK(rig.next(std::nullopt) == Lines{"cancel get"});
  CHECK(rig.node().prefetch_stage() == prefetch::PrefetchStage::kIdle);
  CHECK(with(rig.pass(5s), "2: ").empty());
}

TEST_CASE("a prefetched track takes over without a gap and without asking for its head again") {
  NodeRig rig(core::Policy::adaptive());
  rig.play(kFirstTrack, 0s);
  rig.next(kSecondTrack);
  Lines lines = rig.pass(60s);
  CHECK(with(lines, "2: get") == Lines{"2: get 0-10"});
  CHECK(rig.node().swarm(kSecond)->buffered(kSecondTrack.file, rig.now()) == 10s);
  lines = rig.play(kSecondTrack, 0s);
  CHECK(with(lines, "get 0").empty());
  CHECK(rig.node().buffered(rig.now()) >= 10s);
  CHECK(rig.node().swarm(kFirst)->next_deadline() == kNever);
  for (int second = 0; second < 60; ++second) {
    rig.pass(1s);
    if (second < 55) CHECK(rig.node().buffered(rig.now()) > 0s);
  }
  CHECK(rig.node().swarm(kSecond)->file_complete(kSecondTrack.file));
}

TEST_CASE("a track that follows itself is fetched to its end all the same") {
  NodeRig rig(core::Policy::adaptive());
  rig.play(kFirstTrack, 0s);
  rig.next(kFirstTrack);
  rig.pass(59s);
  CHECK(rig.node().swarm(kFirst)->file_complete(kFirstTrack.file));
}

TEST_CASE("the head of the next track stays wanted however long the current one is paused") {
  NodeRig rig(core::Policy::adaptive());
  rig.seed(kSecond, 1);
  rig.play(kFirstTrack, 0s);
  rig.next(kSecondTrack);
  rig.pass(35s);
  REQUIRE(rig.node().prefetch_stage() == prefetch::PrefetchStage::kPeers);
  rig.play(kFirstTrack, 35s, false);
  rig.pass(300s);
  rig.play(kFirstTrack, 35s);
  CHECK(with(rig.pass(15s), "2: get") == Lines{"2: get 0-10"});
  rig.pass(10s);
  CHECK(rig.node().swarm(kSecond)->buffered(kSecondTrack.file, rig.now()) == 10s);
}

TEST_CASE("a seek in the current track moves the deadline of the next one") {
  core::Policy policy = core::Policy::adaptive();
  policy.prefetch_peers_at = 50s;
  NodeRig rig(policy);
  rig.play(kFirstTrack, 0s);
  rig.next(kSecondTrack);
  rig.pass(12s);
  REQUIRE(rig.node().prefetch_stage() == prefetch::PrefetchStage::kPeers);
  rig.play(kFirstTrack, 45s);
  const core::Swarm& second = *rig.node().swarm(kSecond);
  CHECK(second.buffered(kSecondTrack.file, rig.now() + 15s) == 0s);
  CHECK(with(rig.pass(5s), "2: get") == Lines{"2: get 0-10"});
}

TEST_CASE("who begins to read gets its head from the server at once, whatever else plays") {
  NodeRig rig(core::Policy::adaptive());
  rig.play(kFirstTrack, 0s);
  CHECK(with(rig.reads(1, kSecondTrack, 20, true), "2: get") == Lines{"2: get 20-22"});
  CHECK(with(rig.reads(2, kFirstTrack, 40, true), "1: get") == Lines{"1: get 40-42"});
}

TEST_CASE("who reads faster than it plays makes the server work no further ahead than a listener") {
  const auto got = [](bool reader) {
    NodeRig rig(core::Policy::adaptive());
    rig.pass(3s);  // nobody else will be found
    Lines lines = reader ? rig.reads(1, kFirstTrack, 0, true) : Lines{};
    for (std::string& line :
         reader ? rig.reads(1, kFirstTrack, 2, false) : rig.play(kFirstTrack, 0s))
      lines.push_back(std::move(line));
    for (int second = 0; second < 30; ++second) {
      for (std::string& line : rig.pass(1s)) lines.push_back(std::move(line));
      const Bitfield& have = rig.node().swarm(kFirst)->have_blocks();
      if (reader) rig.reads(1, kFirstTrack, have.find_next_clear(0), false);
    }
    return rig.node().swarm(kFirst)->have_blocks().count();
  };
  CHECK(std::abs(got(true) - got(false)) <= 2);
}

TEST_CASE("a reader that takes no more does not pull the track out of the server") {
  NodeRig rig(core::Policy::adaptive());
  rig.reads(1, kFirstTrack, 0, true);
  rig.reads(1, kFirstTrack, 2, false);
  rig.pass(300s);
  CHECK(rig.node().swarm(kFirst)->have_blocks().count() < 30);
  CHECK(rig.node().next_deadline() > rig.now() + 1s);  // nor does it keep the node awake
}

TEST_CASE("what was asked for a reader alone is cancelled when it goes, what others want is not") {
  NodeRig rig(core::Policy::adaptive());
  rig.serves_ = false;
  rig.reads(1, kFirstTrack, 0, true);
  rig.reads(2, kFirstTrack, 0, true);
  rig.reads(3, kFirstTrack, 40, true);
  CHECK(rig.stops(1).empty());
  CHECK(rig.stops(3) == Lines{"cancel get"});
  CHECK(rig.stops(2) == Lines{"cancel get"});
  CHECK(rig.stops(2).empty());
}

TEST_CASE("blocks asked of peers for a reader alone are cancelled when it goes") {
  NodeRig rig(core::Policy::peers_only());
  rig.seed(kFirst, 1);
  CHECK(with(rig.reads(1, kFirstTrack, 0, true), "request").size() == 5);
  const Lines other = rig.reads(2, kFirstTrack, 40, true);
  CHECK(with(other, "cancel").empty());
  CHECK(with(rig.stops(1), "cancel").size() == 5);
}

TEST_CASE("the most urgent block of all who play is asked for first, and what comes later last") {
  NodeRig rig(core::Policy::peers_only());
  rig.reads(1, kFirstTrack, 0, true);
  rig.reads(2, kFirstTrack, 30, true);
  CHECK(with(rig.seed(kFirst, 1), "request") == Lines{"1: c1: request 0", "1: c1: request 30",
                                                      "1: c1: request 1", "1: c1: request 31",
                                                      "1: c1: request 2"});
}

TEST_CASE("a seek of one reader leaves the others' requests alone") {
  NodeRig rig(core::Policy::peers_only());
  rig.seed(kFirst, 1);
  rig.reads(1, kFirstTrack, 0, true);
  rig.gives(kFirst, 1, 0);
  rig.reads(2, kFirstTrack, 30, true);
  const Lines lines = rig.reads(2, kFirstTrack, 50, true);
  for (const std::string& line : with(lines, "cancel")) {
    const int block = std::stoi(line.substr(line.rfind(' ') + 1));
    CHECK(block >= 30);
  }
}

TEST_CASE("playback's end leaves readers what they want, and theirs leaves it to playback") {
  NodeRig rig(core::Policy::adaptive());
  rig.serves_ = false;
  rig.play(kFirstTrack, 0s);
  rig.reads(1, kFirstTrack, 40, true);
  CHECK(with(rig.player(PlaybackEnded{}), "cancel").size() <= 1);
  CHECK(rig.node().swarm(kFirst)->asked_of_cdn().test(40));
  CHECK(rig.node().buffered(rig.now()) == 0s);
}

TEST_CASE("a closed torrent's readers are forgotten") {
  NodeRig rig(core::Policy::adaptive());
  rig.reads(1, kSecondTrack, 0, true);
  rig.node().close(kSecond, rig.now());
  CHECK(rig.stops(1).empty());
  CHECK(rig.reads(1, kSecondTrack, 0, true).empty());
}

TEST_CASE("a closed torrent's late payload goes back to the host") {
  NodeRig rig(core::Policy::peers_only());
  rig.seed(kSecond, 1);
  rig.node().close(kSecond, rig.now());
  const core::Input late = core::PeerMessage{
      kSecond, core::conn_of(1),
      core::Piece{{core::PieceIndex(0), 0_B, core::kBlockSize}, core::BufferId(77)}};
  rig.node().handle(late, rig.now());
  bool freed = false;
  while (const auto action = rig.node().poll()) {
    const auto* core_action = std::get_if<core::Action>(&*action);
    const auto* free = core_action ? std::get_if<core::Free>(core_action) : nullptr;
    freed = freed || (free && free->buffer == core::BufferId(77));
  }
  CHECK(freed);
}

core::Handshake hello(const InfoHash& hash) {
  core::Handshake handshake;
  handshake.info_hash = hash;
  return handshake;
}

TEST_CASE("only torrents that are open and may use peers are answered for") {
  NodeRig rig(core::Policy::adaptive());
  InfoHash hash;  // v2, cut to 20 bytes
  hash.bytes[0] = 2;
  REQUIRE(rig.node().welcome(hello(hash)));
  CHECK(rig.node().welcome(hello(hash))->torrent == kSecond);
  CHECK_FALSE(rig.node().welcome(hello({})));
  rig.node().close(kSecond, rig.now());
  CHECK_FALSE(rig.node().welcome(hello(hash)));
  NodeRig alone(core::Policy::cdn_only());
  CHECK_FALSE(alone.node().welcome(hello(hash)));
}

TEST_CASE("a node fetches a torrent's metadata beside its tracks, and is rid of it at the end") {
  constexpr TorrentId kFetch{9};
  NodeRig rig(core::Policy::adaptive());
  Node& node = rig.node();
  InfoHash hash;
  hash.bytes[0] = 77;
  const Endpoint peer = Endpoint::v4(10, 0, 0, 9, 6881);
  node.fetch(kFetch, {{hash}, false, {}}, rig.now());
  CHECK(node.progress(kFetch).has_value());
  CHECK_FALSE(node.progress(kFirst).has_value());
  REQUIRE(node.welcome(hello(hash)));
  CHECK(node.welcome(hello(hash))->torrent == kFetch);
  CHECK(node.welcome(hello(hash))->handshake.info_hash == hash);

  SUBCASE("one that is closed hangs up and answers nobody") {
    node.add_peer(kFetch, peer, rig.now());
    node.close(kFetch, rig.now());
    bool hung_up = false;
    while (const auto action = node.poll()) {
      const auto* core_action = std::get_if<core::Action>(&*action);
      hung_up = hung_up || (core_action && std::holds_alternative<core::Disconnect>(*core_action));
      CHECK_FALSE((core_action && std::holds_alternative<core::MetadataFetched>(*core_action)));
    }
    CHECK(hung_up);
  }
  SUBCASE("one that finds nobody ends by itself") {
    bool over = false;
    for (TimePoint now = rig.now(); !over; now = node.next_deadline()) {
      REQUIRE(now <= rig.now() + core::kFetchLimit);
      node.tick(now);
      while (const auto action = node.poll()) {
        const auto* core_action = std::get_if<core::Action>(&*action);
        over = over || (core_action && std::holds_alternative<core::MetadataFetched>(*core_action));
      }
    }
  }
  CHECK_FALSE(node.progress(kFetch).has_value());
  CHECK_FALSE(node.welcome(hello(hash)));
}

TEST_CASE(
    "a policy without the CDN cancels what the CDN was asked, one without peers leaves them") {
  NodeRig rig(core::Policy::adaptive());
  rig.serves_ = false;
  rig.seed(kFirst, 1);
  CHECK_FALSE(with(rig.play(kFirstTrack, 0s), "1: get").empty());
  rig.node().set_conduct(core::Policy::peers_only(), true, rig.now());
  CHECK_FALSE(with(rig.pass(1us), "cancel get").empty());
  CHECK(with(rig.pass(5s), "1: get").empty());
  rig.node().set_conduct(core::Policy::cdn_only(), true, rig.now());
  const Lines lines = rig.pass(1us);
  CHECK_FALSE(with(lines, "disconnect").empty());
  CHECK_FALSE(with(lines, "1: get").empty());
}

TEST_CASE("new URLs of a torrent's edges are the ones that are asked from then on") {
  NodeRig rig(core::Policy::cdn_only());
  rig.node().set_edges(kFirst, {"http://other/track?sig=2"}, rig.now());
  rig.play(kFirstTrack, 0s);
  CHECK(rig.asked_url_ == "http://other/track?sig=2");
}

TEST_CASE("the same inputs give a node's same actions") {
  const auto run = [] {
    NodeRig rig(core::Policy::adaptive());
    Lines lines = rig.seed(kFirst, 1);
    for (std::string& line : rig.play(kFirstTrack, 0s)) lines.push_back(line);
    rig.next(kSecondTrack);
    for (int i = 0; i < 60; ++i) {
      for (std::string& line : rig.pass(900ms)) lines.push_back(line);
      for (std::string& line : rig.gives(kFirst, 1, i)) lines.push_back(line);
    }
    return lines;
  };
  const Lines once = run();
  CHECK(once.size() > 60);
  CHECK(once == run());
}

}  // namespace
}  // namespace tributary::player
