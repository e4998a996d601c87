#include "engine/core/swarm.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "engine/base/random.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

const std::vector<std::vector<std::string>> kTracker{{"http://t"}};

TEST_CASE("playback may start once for each start, and at once where the CDN insures it") {
  SwarmRig rig;
  rig.cdn_up();
  CHECK(with(rig.start(), "may start").size() == 1);
  CHECK(with(rig.pass(1s), "may start").empty());
  CHECK(with(rig.start(30s), "may start").size() == 1);  // a seek before the first was heard
  CHECK(with(rig.start(30s), "may start").size() == 1);
  CHECK(with(rig.play(30s), "may start").empty());
  CHECK(with(rig.start(30s), "may start").size() == 1);
}

TEST_CASE("without a CDN playback waits until it will not stall") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 4});
  CHECK(with(rig.start(), "may start").empty());
  rig.seed(1);
  for (int b = 0; b < 3; ++b) CHECK(with(rig.gives(1, b), "may start").empty());
  CHECK(with(rig.gives(1, 3), "may start").size() == 1);
}

TEST_CASE("a torrent is announced while it is wanted, when it completes, and when it closes") {
  TrackShape shape{.blocks = 1};
  shape.trackers = kTracker;
  SwarmRig rig(Policy::peers_only(), shape);
  CHECK(rig.pass(10s).empty());
  CHECK(with(rig.play(0s), "announce") == Lines{"announce http://t started"});
  rig.in(AnnounceReply{SwarmRig::kTorrent, "http://t", {}, 1800s, 60s});
  rig.seed(1);
  Lines lines = rig.gives(1, 0);
  for (const std::string& line : rig.pass(1s)) lines.push_back(line);
  CHECK(with(lines, "announce") == Lines{"announce http://t completed"});
  rig.in(AnnounceReply{SwarmRig::kTorrent, "http://t", {}, 1800s, 60s});
  rig.swarm().close(rig.now());
  CHECK(with(rig.drain(), "announce") == Lines{"announce http://t stopped"});
}

TEST_CASE("what was complete when it was opened is not announced as completed") {
  TrackShape shape{.blocks = 1};
  shape.trackers = kTracker;
  const Metainfo meta = make_track(shape);
  BanList bans;
  Swarm swarm(meta, swarm_params(TorrentId(1), Policy::peers_only(), 1), Bitfield(1, true), bans,
              TimePoint());
  swarm.share(true, TimePoint());
  int announces = 0;
  while (const auto action = swarm.poll()) {
    const auto* announce = std::get_if<Announce>(&*action);
    if (!announce) continue;
    ++announces;
    CHECK(announce->event == AnnounceEvent::kStarted);
    CHECK(announce->left == 0_B);
  }
  CHECK(announces == 1);
}

TEST_CASE("a private torrent dials nobody but whom its tracker or the user names") {
  TrackShape shape;
  shape.is_private = true;
  shape.trackers = kTracker;
  SwarmRig rig(Policy::peers_only(), shape);
  CHECK(with(rig.play(0s), "connect").empty());
  rig.connect(1);
  ExtendedHandshake hello;
  hello.listen_port = 6999;
  CHECK(with(rig.say(1, hello), "connect").empty());
  const Endpoint peer = Endpoint::v4(10, 0, 0, 9, 7000);
  CHECK(with(rig.in(AnnounceReply{SwarmRig::kTorrent, "http://t", {peer}, 1800s, 60s}),
             "connect") == Lines{"connect 7000"});
}

TEST_CASE("a private torrent that has to take another tracker leaves the former one's peers") {
  TrackShape shape;
  shape.is_private = true;
  shape.trackers = {{"http://t"}, {"http://u"}};
  SwarmRig rig(Policy::peers_only(), shape);
  rig.swarm().add_peer(Endpoint::v4(10, 0, 0, 1, 7001), rig.now());  // the user's
  rig.play(0s);
  const auto at = [](int n) { return Endpoint::v4(10, 0, 0, 9, static_cast<std::uint16_t>(n)); };
  const auto answer = [&](const char* tracker, std::vector<Endpoint> peers) {
    return rig.in(AnnounceReply{SwarmRig::kTorrent, tracker, std::move(peers), 1800s, 60s});
  };
  REQUIRE(answer("http://t", {at(8001), at(8002)}) == Lines{"connect 8001", "connect 8002"});
  const ConnId first = std::get<Connect>(rig.actions()[0]).conn;
  rig.in(PeerConnected{SwarmRig::kTorrent, first, at(8001), false, {}});
  rig.connect(5);
  REQUIRE(rig.swarm().peer_count() == 2);

  CHECK(answer("http://t", {at(8003)}) == Lines{"connect 8003"});  // the same one
  const Lines lines = answer("http://u", {at(8003), at(8004)});
  CHECK(with(lines, "disconnect").size() == 3);  // 8001, 8002 and who came in
  CHECK(with(lines, "connect 800") == Lines{"connect 8004"});
  rig.in(PeerClosed{SwarmRig::kTorrent, first});
  CHECK(with(rig.pass(60s), "connect 8001").empty());
}

TEST_CASE("uploads stop in an emergency and go on after it") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 10s);
  rig.seed(1);
  for (int b = 0; b < 5; ++b) rig.gives(1, b);
  rig.connect(2);
  rig.say(2, HaveNone{});
  CHECK(with(rig.say(2, Interested{}), "c2: unchoke").size() == 1);
  // Block 5 is due at 15 s: three seconds before, nothing insures it.
  Lines lines;
  while (rig.now() < TimePoint(11900ms)) {
    for (const std::string& line : rig.pass(100ms)) lines.push_back(line);
  }
  CHECK(with(lines, "c2: choke").empty());
  CHECK_FALSE(rig.swarm().emergency());
  lines = rig.pass(300ms);
  for (const std::string& line : rig.tick()) lines.push_back(line);
  CHECK(rig.swarm().emergency());
  CHECK(with(lines, "c2: choke").size() == 1);
  for (int b = 5; b < 10; ++b) rig.gives(1, b);
  CHECK_FALSE(rig.swarm().emergency());
}

// A world that plays by no rules but the host's own: buffers, requests and verdicts are real, and
// what peers say and what happens when is drawn at random.
class Chaos {
 public:
  Chaos(std::uint64_t seed, const TrackShape& shape, const Policy& policy)
      : random_(seed),
        meta_(make_track(shape)),
        swarm_(meta_, swarm_params(kId, policy, 1), Bitfield(), bans_, now_),
        stored_(swarm_.layout().block_count()) {}

  void run(int inputs) {
    feed(CdnHealth{kId, true, 200ms, 4_Mbps});
    for (int i = 0; i < inputs; ++i) {
      step();
      if (random_.chance(1, 4)) now_ += Duration(static_cast<std::int64_t>(random_.below(400'000)));
      swarm_.tick(now_);
      drain();
    }
    settle();
  }

  std::uint64_t digest() const { return digest_; }
  std::int64_t stored() const { return stored_blocks_; }
  bool over() const { return live_.empty() && fetches_.empty() && hashing_.empty(); }

 private:
  static constexpr TorrentId kId{3};
  struct Buffer {
    BlockIndex block;
    bool good = true;
  };
  struct Fetch {
    std::set<int> missing;
  };

  int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n))); }
  int block() { return below(swarm_.layout().block_count()); }
  PieceIndex piece() { return PieceIndex(below(swarm_.layout().piece_count() + 2) - 1); }

  void feed(const Input& input) {
    swarm_.handle(input, now_);
    drain();
  }
  void say(ConnId conn, Message message) { feed(PeerMessage{kId, conn, std::move(message)}); }

  BufferId buffer(int b, bool good) {
    const BufferId id(++next_buffer_);
    live_[id] = {BlockIndex(b), good};
    return id;
  }

  void step() {
    switch (below(12)) {
      case 0:
        return connect();
      case 1:
        return demand();
      case 2:
      case 3:
      case 4:
        return cdn();
      case 5:
      case 6:
        return hash();
      case 7:
        return sent();
      case 8:
        return upset();
      default:
        return peer_acts();
    }
  }

  void connect() {
    if (conns_.size() < 6) {
      const ConnId conn = conn_of(++next_conn_);
      conns_.insert(conn);
      const Handshake hello{InfoHash{}, peer_id_of(below(40)), random_.chance(2, 3), true,
                            random_.chance(1, 2)};
      const auto host = static_cast<std::uint8_t>(1 + below(250));
      feed(PeerConnected{kId, conn, Endpoint::v4(10, 0, 0, host, 1), true, hello});
    } else {
      close(*conns_.begin());
    }
  }
  void close(ConnId conn) {
    if (conns_.erase(conn) == 0) return;
    feed(PeerClosed{kId, conn});
  }

  void demand() {
    const auto position = std::chrono::seconds(below(swarm_.layout().block_count()));
    const bool starting = random_.chance(1, 4);
    switch (below(6)) {
      case 0:
        return feed(ClearDemand{kId, FileIndex(0)});
      case 1:
        return feed(SetBackground{kId, random_.chance(1, 2)});
      case 2: {
        const Bytes at = kBlockSize * block();
        return feed(ReaderWaits{kId, {at, at + 100_B}});
      }
      default:
        feed(SetDemand{.torrent = kId,
                       .file = FileIndex(0),
                       .position = position,
                       .at = now_ + std::chrono::seconds(below(5)),
                       .moving = !starting,
                       .starting = starting,
                       .prefetch = random_.chance(1, 8)});
    }
  }

  void cdn() {
    if (fetches_.empty()) return;
    auto it = fetches_.begin();
    std::advance(it, below(static_cast<int>(fetches_.size())));
    const CdnRequestId id = it->first;
    if (it->second.missing.empty() || random_.chance(1, 20)) {
      fetches_.erase(it);
      return feed(CdnEnded{kId, id});
    }
    const int b = *it->second.missing.begin();
    it->second.missing.erase(b);
    feed(CdnBlock{kId, id, BlockIndex(b), buffer(b, !random_.chance(1, 30))});
  }

  void hash() {
    if (hashing_.empty()) return;
    const Input verdict = hashing_.front();
    hashing_.erase(hashing_.begin());
    feed(verdict);
  }

  void sent() {
    if (sending_.empty()) return;
    const SendBlock send = sending_.back();
    sending_.pop_back();
    feed(BlockSent{kId, send.conn, send.span, !random_.chance(1, 10)});
  }

  void upset() {
    const int b = block();
    if (random_.chance(1, 4)) {
      return feed(CdnHealth{kId, random_.chance(3, 4), 200ms, 4_Mbps});
    }
    stored_.reset(b);
    feed(BlocksLost{kId, {BlockIndex(b), BlockIndex(b + 1)}});
  }

  BlockSpan some_span() {
    if (random_.chance(1, 8)) {  // hostile
      return {piece(), Bytes(below(40'000) - 10), Bytes(below(200'000) - 10)};
    }
    return swarm_.layout().span_of(BlockIndex(block()));
  }

  void answer(ConnId conn) {
    auto& asked = asked_[conn];
    if (asked.empty()) return;
    const BlockSpan span = asked.front();
    asked.erase(asked.begin());
    if (random_.chance(1, 10)) return say(conn, RejectRequest{span});
    const int b = swarm_.layout().block_at(span.piece, span.begin).value();
    say(conn, Piece{span, buffer(b, !random_.chance(1, 20))});
  }

  void peer_acts() {
    if (conns_.empty()) return;
    auto it = conns_.begin();
    std::advance(it, below(static_cast<int>(conns_.size())));
    const ConnId conn = *it;
    switch (below(16)) {
      case 0:
        return say(conn, Choke{});
      case 1:
        return say(conn, Interested{});
      case 2:
        return say(conn, NotInterested{});
      case 3:
        return say(conn, Have{PieceIndex(below(swarm_.layout().piece_count()))});
      case 4:
        return say(conn, random_.chance(1, 2) ? Message(HaveAll{}) : Message(HaveNone{}));
      case 5:
        return say(conn, Request{some_span()});
      case 6:
        return say(conn, Cancel{some_span()});
      case 7:
        return say(conn, AllowedFast{piece()});
      case 8:
        return say(conn, DontHave{piece()});
      case 9: {
        const BlockSpan span = some_span();  // unrequested
        return say(conn, Piece{span, buffer(0, false)});
      }
      case 10:
        return random_.chance(1, 20) ? say(conn, Have{piece()}) : answer(conn);
      case 11:
      case 12:
        return say(conn, Unchoke{});
      default:
        return answer(conn);
    }
  }

  void drain() {
    while (const auto action = swarm_.poll()) {
      digest_ = Random::mix(digest_ * 31 + action->index());
      std::visit([this](const auto& a) { perform(a); }, *action);
    }
  }
  template <class Action>
  void perform(const Action&) {}
  void perform(const Send& a) {
    if (const auto* request = std::get_if<Request>(&a.message)) {
      digest_ = Random::mix(digest_ + static_cast<std::uint64_t>(request->span.piece.value()));
      asked_[a.conn].push_back(request->span);
    }
  }
  void perform(const SendBlock& a) {
    const Bytes begin = swarm_.layout().piece_range(a.span.piece).begin + a.span.begin;
    const BlockRange blocks = swarm_.layout().blocks_covering({begin, begin + a.span.length});
    for (BlockIndex b = blocks.begin; b < blocks.end; ++b) REQUIRE(stored_.test(b.value()));
    sending_.push_back(a);
  }
  void perform(const Verify& a) {
    bool good = true;
    std::vector<Sha256> digests;
    REQUIRE(a.buffers.size() == static_cast<std::size_t>(a.blocks.size()));
    for (std::size_t i = 0; i < a.buffers.size(); ++i) {
      const BlockIndex b = a.blocks.begin + static_cast<std::int32_t>(i);
      bool right = true;
      if (a.buffers[i] == kNoBuffer) {
        REQUIRE(stored_.test(b.value()));
      } else {
        const auto it = live_.find(a.buffers[i]);
        REQUIRE(it != live_.end());
        right = it->second.good && it->second.block == b;
      }
      good = good && right;
      digests.push_back(hash_of(right ? 1 : static_cast<std::uint8_t>(2 + below(200))));
    }
    if (a.leaf) digests.clear();
    hashing_.emplace_back(Verified{kId, a.blocks, good, digests, a.id});
  }
  void perform(const Store& a) {
    const auto it = live_.find(a.buffer);
    REQUIRE(it != live_.end());
    REQUIRE(it->second.good);
    REQUIRE(it->second.block == a.block);
    live_.erase(it);
    stored_.set(a.block.value());
    ++stored_blocks_;
  }
  void perform(const Free& a) { REQUIRE(live_.erase(a.buffer) == 1); }
  void perform(const CdnFetch& a) {
    REQUIRE(!a.blocks.empty());
    Fetch& fetch = fetches_[a.request];
    for (BlockIndex b = a.blocks.begin; b < a.blocks.end; ++b) fetch.missing.insert(b.value());
  }
  void perform(const CdnCancel& a) { REQUIRE(fetches_.erase(a.request) == 1); }

  // The world runs down: everything under way comes to its end.
  void settle() {
    feed(ClearDemand{kId, FileIndex(0)});
    feed(SetBackground{kId, false});
    while (!fetches_.empty()) {
      const CdnRequestId id = fetches_.begin()->first;
      fetches_.erase(fetches_.begin());
      feed(CdnEnded{kId, id});
    }
    while (!conns_.empty()) close(*conns_.begin());
    while (!hashing_.empty()) hash();
    // Incomplete v1 pieces wait for their other blocks; they go back when the swarm closes.
    for (const auto& [id, b] : live_) waiting_ += swarm_.layout().block_range(b.block).size();
    const ByteCounts total = swarm_.ledger().total();
    REQUIRE(total.cdn() + total.peers == total.good + total.duplicate + total.corrupt + waiting_);
    swarm_.close(now_);
    drain();
  }

  Random random_;
  const Metainfo meta_;
  BanList bans_;
  TimePoint now_{};
  Swarm swarm_;
  Bitfield stored_;
  std::map<BufferId, Buffer> live_;
  std::map<CdnRequestId, Fetch> fetches_;
  std::vector<Input> hashing_;
  std::vector<SendBlock> sending_;
  std::map<ConnId, std::vector<BlockSpan>> asked_;
  std::set<ConnId> conns_;
  Bytes waiting_;
  std::uint64_t digest_ = 0;
  std::uint64_t next_buffer_ = 0;
  std::int64_t stored_blocks_ = 0;
  int next_conn_ = 0;
};

const TrackShape kShapes[] = {
    {.blocks = 40},
    {.blocks = 42, .blocks_per_piece = 4, .v1 = true, .v2 = false},
    {.blocks = 42, .blocks_per_piece = 4, .v1 = true, .v2 = true},
};

TEST_CASE("whatever happens, each byte is accounted for and each buffer ends once") {
  std::int64_t stored = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    for (const Policy& policy : {Policy::adaptive(), Policy::peers_only(), Policy::spotify()}) {
      Chaos chaos(seed, kShapes[seed % 3], policy);
      chaos.run(400);
      CHECK(chaos.over());
      stored += chaos.stored();
    }
  }
  CHECK(stored > 1000);  // the world is not so hostile that nothing gets through
}

TEST_CASE("the same inputs give the same actions") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Chaos once(seed, kShapes[seed % 3], Policy::adaptive());
    Chaos again(seed, kShapes[seed % 3], Policy::adaptive());
    once.run(500);
    again.run(500);
    CHECK(once.digest() == again.digest());
  }
}

}  // namespace
}  // namespace tributary::core
