#include "engine/core/overlay.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr TorrentId kPlaying{1};
constexpr TorrentId kNext{2};

InfoHash hash(int n) {
  InfoHash out;
  out.bytes[0] = static_cast<std::uint8_t>(n);
  return out;
}

// Of the world, so that it may be told to anybody.
Endpoint at(int n) {
  return Endpoint::v4(20, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 6881);
}

OverlayLink link(int n, TorrentId torrent = kPlaying) {
  return {torrent, conn_of(n), peer_id_of(n), at(n), at(n)};
}

struct View : OverlayView {
  std::vector<OverlayLink> neighbours;
  OverlaySources known;
  std::vector<OverlayLink> links() const override { return neighbours; }
  OverlaySources sources(const InfoHash&, const OverlayLink&) const override { return known; }
};

// A node with neighbours 1 … n in the swarm of the playing track.
struct Rig {
  explicit Rig(int neighbours, std::uint64_t seed = 1) : overlay(view, Random(seed)) {
    for (int n = 1; n <= neighbours; ++n) view.neighbours.push_back(link(n));
  }

  View view;
  Overlay overlay;
  TimePoint now{};
  std::vector<PeersFound> found;
  int offences = 0;

  // What is sent because of what was done last.
  std::vector<Send> sent() {
    std::vector<Send> out;
    while (auto action = overlay.poll()) {
      if (auto* send = std::get_if<Send>(&*action)) out.push_back(std::move(*send));
      if (auto* peers = std::get_if<PeersFound>(&*action)) found.push_back(std::move(*peers));
      if (std::holds_alternative<OverlayOffence>(*action)) ++offences;
    }
    return out;
  }
  std::vector<Send> want() {
    overlay.want(Overlay::Wanted{kNext, hash(2)}, now);
    return sent();
  }
  std::vector<Send> hears(int n, std::uint64_t id, std::uint8_t hops = kOverlayHops) {
    overlay.on_query(link(n), {QueryId(id), hash(2), hops}, now);
    return sent();
  }
  std::vector<Send> is_told(int n, QueryId id, std::vector<Endpoint> peers, bool self = false) {
    overlay.on_answer(link(n), {id, self, std::move(peers)}, now);
    return sent();
  }
};

OverlayQuery query_of(const Send& send) { return std::get<OverlayQuery>(send.message); }
OverlayAnswer answer_of(const Send& send) { return std::get<OverlayAnswer>(send.message); }
std::vector<Endpoint> ends(int from, int to) {
  std::vector<Endpoint> out;
  for (int n = from; n < to; ++n) out.push_back(at(n));
  return out;
}

TEST_CASE(
    "what is wanted is asked of the neighbours at once, over two hops, and again every 30 s") {
  Rig rig(3);
  const auto first = rig.want();
  REQUIRE(first.size() == 3);
  for (const Send& send : first) CHECK(query_of(send) == query_of(first[0]));
  CHECK(query_of(first[0]).sought == hash(2));
  CHECK(query_of(first[0]).hops == kOverlayHops);
  CHECK(rig.overlay.next_deadline() == rig.now + kOverlayAskAgain);
  rig.now += kOverlayAskAgain - 1us;
  CHECK(rig.want().empty());
  rig.now += 1us;
  const auto second = rig.want();
  REQUIRE(second.size() == 3);
  CHECK(query_of(second[0]).id != query_of(first[0]).id);
  CHECK(rig.overlay.counts().asked == 2);
}

TEST_CASE("another track is asked for at once, and nothing once nothing is wanted") {
  Rig rig(1);
  rig.want();
  rig.overlay.want(Overlay::Wanted{TorrentId(3), hash(3)}, rig.now);
  REQUIRE(rig.sent().size() == 1);
  rig.overlay.want(std::nullopt, rig.now);
  CHECK(rig.overlay.next_deadline() == kNever);
  CHECK(rig.sent().empty());
}

TEST_CASE("a track that is wanted again after a pause is not asked for sooner") {
  Rig rig(1);
  REQUIRE(rig.want().size() == 1);
  rig.overlay.want(std::nullopt, rig.now);
  rig.now += 10s;
  CHECK(rig.want().empty());
  rig.now += 20s;
  CHECK(rig.want().size() == 1);
}

TEST_CASE("where nobody can be asked it is tried again soon, and nothing is remembered") {
  Rig rig(0);
  CHECK(rig.want().empty());
  CHECK(rig.overlay.next_deadline() == rig.now + kOverlayLookAgain);
  CHECK(rig.overlay.remembered() == 0);
  rig.view.neighbours.push_back(link(1));
  rig.now += kOverlayLookAgain;
  CHECK(rig.want().size() == 1);
}

TEST_CASE("no more neighbours are asked than the limit, each client once, and by chance who") {
  std::set<ConnId> asked;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rig rig(40, seed);
    // The same clients once more, in the swarm of a third track.
    for (int n = 1; n <= 40; ++n) {
      rig.view.neighbours.push_back(link(n, TorrentId(3)));
      rig.view.neighbours.back().conn = conn_of(1000 + n);
    }
    const auto sent = rig.want();
    CHECK(sent.size() == kMaxOverlayAsked);
    std::set<std::uint64_t> clients;
    for (const Send& send : sent) {
      clients.insert((send.conn.value() & 0xffff) % 1000);
      asked.insert(send.conn);
    }
    CHECK(clients.size() == kMaxOverlayAsked);
  }
  CHECK(asked.size() > 60);
}

TEST_CASE("the peers of the sought track itself are not asked: they tell of each other anyway") {
  Rig rig(2);
  rig.view.neighbours.push_back(link(3, kNext));
  CHECK(rig.want().size() == 2);
  rig.view.known.torrent = kNext;
  CHECK(rig.hears(1, 77).size() == 1);
}

TEST_CASE("a query is answered by who has the torrent, and passed on with one hop less") {
  Rig rig(20);
  rig.view.known = {kNext, false, true, ends(100, 103)};
  const auto sent = rig.hears(1, 77);
  REQUIRE(sent.size() == 1 + kMaxOverlayForwards);
  CHECK(sent[0].conn == conn_of(1));
  CHECK(answer_of(sent[0]) == OverlayAnswer{QueryId(77), true, ends(100, 103)});
  std::set<ConnId> to;
  for (std::size_t i = 1; i < sent.size(); ++i) {
    CHECK(query_of(sent[i]) == OverlayQuery{QueryId(77), hash(2), 1});
    CHECK(sent[i].conn != conn_of(1));
    to.insert(sent[i].conn);
  }
  CHECK(to.size() == kMaxOverlayForwards);
}

TEST_CASE(
    "at its last hop a query is answered and goes no further, and who knows nothing is silent") {
  Rig rig(20);
  CHECK(rig.hears(1, 77, 1).empty());
  rig.view.known = {kNext, false, true, {}};
  const auto sent = rig.hears(1, 78, 1);
  REQUIRE(sent.size() == 1);
  CHECK(answer_of(sent[0]) == OverlayAnswer{QueryId(78), true, {}});
}

TEST_CASE("who knows enough that have it, himself among them, asks nobody further") {
  Rig rig(20);
  const int enough = static_cast<int>(kOverlayEnough);
  rig.view.known = {kNext, false, false, ends(100, 100 + enough)};
  CHECK(rig.hears(1, 77).size() == 1);
  rig.view.known = {kNext, false, true, ends(100, 100 + enough - 1)};
  CHECK(rig.hears(1, 78).size() == 1);
  rig.view.known = {kNext, false, false, ends(100, 100 + enough - 1)};
  CHECK(rig.hears(1, 79).size() == 1 + kMaxOverlayForwards);
}

TEST_CASE("a query that was here before is dropped, whoever brings it, and our own too") {
  Rig rig(10);
  rig.view.known = {kNext, false, true, {}};
  CHECK_FALSE(rig.hears(1, 77).empty());
  CHECK(rig.hears(1, 77).empty());
  CHECK(rig.hears(2, 77).empty());
  const auto own = rig.want();
  REQUIRE_FALSE(own.empty());
  CHECK(rig.hears(3, query_of(own[0]).id.value()).empty());
  CHECK(rig.overlay.counts().duplicates == 3);
  CHECK(rig.offences == 0);
}

TEST_CASE("fifty queries are remembered of each peer, and none of who is gone") {
  Rig rig(2);
  for (std::uint64_t id = 1; id <= kRememberedQueries; ++id) {
    rig.hears(1, id, 1);
    rig.now += 1s;
  }
  CHECK(rig.overlay.remembered() == kRememberedQueries);
  CHECK(rig.hears(2, 1, 1).empty());
  CHECK(rig.overlay.counts().duplicates == 1);
  rig.hears(1, 1000, 1);
  CHECK(rig.overlay.remembered() == kRememberedQueries);
  rig.hears(2, 1, 1);  // the oldest, which made room
  CHECK(rig.overlay.counts().duplicates == 1);
  CHECK(rig.overlay.remembered() == kRememberedQueries + 1);
  rig.overlay.on_closed(conn_of(1));
  CHECK(rig.overlay.remembered() == 1);
}

TEST_CASE("of our own queries no more are remembered either") {
  Rig rig(1);
  for (std::size_t n = 0; n < 2 * kRememberedQueries; ++n) {
    CHECK(rig.want().size() == 1);
    rig.now += kOverlayAskAgain;
  }
  CHECK(rig.overlay.remembered() == kRememberedQueries);
}

TEST_CASE("a private torrent's hash is neither answered nor passed on") {
  Rig rig(10);
  rig.view.known = {kNext, true, true, ends(100, 103)};
  CHECK(rig.hears(1, 77).empty());
}

TEST_CASE("an answer brings the sender's address as we know it, and those that it names") {
  Rig rig(2);
  const auto sent = rig.want();
  const QueryId id = query_of(sent[0]).id;
  CHECK(rig.is_told(1, id, ends(100, 102), true).empty());
  REQUIRE(rig.found.size() == 1);
  CHECK(rig.found[0].torrent == kNext);
  CHECK(rig.found[0].source == PeerSource::kOverlay);
  CHECK(rig.found[0].peers == std::vector{at(1), at(100), at(101)});
  rig.is_told(2, id, ends(100, 103));
  REQUIRE(rig.found.size() == 2);
  CHECK(rig.found[1].peers == ends(102, 103));  // what is new
  CHECK(rig.overlay.counts().found == 4);
}

TEST_CASE("who does not say where he listens brings only others") {
  Rig rig(1);
  const QueryId id = query_of(rig.want().at(0)).id;
  OverlayLink deaf = link(1);
  deaf.listening.reset();
  rig.overlay.on_answer(deaf, {id, true, {}}, rig.now);
  CHECK(rig.sent().empty());
  CHECK(rig.found.empty());
}

TEST_CASE("answers to what was passed on go back where it came from, with addresses as seen here") {
  Rig rig(2);
  REQUIRE(rig.hears(1, 77).size() == 1);  // on to 2
  const auto back = rig.is_told(2, QueryId(77), ends(100, 102), true);
  REQUIRE(back.size() == 1);
  CHECK(back[0].conn == conn_of(1));
  CHECK(answer_of(back[0]) == OverlayAnswer{QueryId(77), false, {at(2), at(100), at(101)}});
  CHECK(rig.found.empty());
}

TEST_CASE("who asked is not told of himself, nor twice of the same") {
  Rig rig(3);
  rig.view.known = {kNext, false, false, {at(100)}};
  REQUIRE(rig.hears(1, 77).size() == 3);
  CHECK(rig.is_told(2, QueryId(77), {at(1), at(100)}).empty());
  const auto back = rig.is_told(3, QueryId(77), {at(1), at(100), at(101)});
  REQUIRE(back.size() == 1);
  CHECK(answer_of(back[0]).peers == std::vector{at(101)});
}

TEST_CASE("answers that nobody asked for are ignored, and are offences") {
  Rig rig(3);
  CHECK(rig.is_told(1, QueryId(5), ends(100, 102)).empty());
  const QueryId id = query_of(rig.want().at(0)).id;
  rig.overlay.on_answer(link(9), {id, false, ends(100, 102)}, rig.now);  // was not asked this
  rig.hears(1, 77);
  rig.is_told(1, QueryId(77), ends(100, 102));  // asked it himself
  CHECK(rig.found.empty());
  CHECK(rig.overlay.counts().unasked == 3);
  CHECK(rig.offences == 3);
}

TEST_CASE("so many answers to one query are taken of each: its own, and those of whom it asks") {
  Rig rig(2);
  const QueryId id = query_of(rig.want().at(0)).id;
  for (int n = 0; n < 10; ++n) rig.is_told(1, id, ends(100 + n, 101 + n));
  CHECK(rig.found.size() == 1 + kMaxOverlayForwards);
  CHECK(rig.offences == 10 - static_cast<int>(1 + kMaxOverlayForwards));
  rig.hears(1, 77);
  CHECK(rig.is_told(2, QueryId(77), ends(100, 101)).size() == 1);
  CHECK(rig.is_told(2, QueryId(77), ends(101, 102)).empty());  // it could ask nobody
}

TEST_CASE("no more than fifty addresses come of one query, and none too late") {
  Rig rig(10);
  const QueryId id = query_of(rig.want().at(0)).id;
  for (int n = 1; n <= 5; ++n) rig.is_told(n, id, ends(100 * n, 100 * n + 20));
  std::size_t found = 0;
  for (const PeersFound& each : rig.found) found += each.peers.size();
  CHECK(found == kMaxOverlayFound);
  REQUIRE(rig.hears(1, 77).size() > 1);
  rig.now += kOverlayAnswerTime + 1us;
  for (int n = 2; n <= 10; ++n) CHECK(rig.is_told(n, QueryId(77), ends(100, 101)).empty());
  CHECK(rig.overlay.counts().late == kMaxOverlayForwards);
}

TEST_CASE("of an answer longer than it may be the first addresses are taken") {
  Rig rig(1);
  const QueryId id = query_of(rig.want().at(0)).id;
  rig.is_told(1, id, ends(100, 140), true);
  REQUIRE(rig.found.size() == 1);
  CHECK(rig.found[0].peers.size() == kMaxOverlayPeers);
}

TEST_CASE("strangers neither name nor hear of addresses in our house, at any distance") {
  const Endpoint inner = Endpoint::v4(192, 168, 1, 5, 6881);
  const Endpoint loop = Endpoint::v4(127, 0, 0, 1, 6881);
  Rig rig(2);
  const QueryId id = query_of(rig.want().at(0)).id;
  rig.is_told(1, id, {inner, loop, at(100), Endpoint::v4(20, 0, 0, 1, 0)});
  REQUIRE(rig.found.size() == 1);
  CHECK(rig.found[0].peers == std::vector{at(100)});
  // A neighbour of our house answers a query from outside.
  OverlayLink house = link(3);
  house.remote = Endpoint::v4(192, 168, 1, 3, 50000);
  house.listening = Endpoint::v4(192, 168, 1, 3, 6881);
  rig.view.neighbours = {house};
  REQUIRE(rig.hears(1, 77).size() == 1);
  rig.overlay.on_answer(house, {QueryId(77), true, {inner, at(101)}}, rig.now);
  const auto back = rig.sent();
  REQUIRE(back.size() == 1);
  CHECK(answer_of(back[0]).peers == std::vector{at(101)});
}

TEST_CASE("a peer that asks too much is refused, and may ask again later") {
  Rig rig(1);
  rig.view.known = {kNext, false, true, {}};
  std::uint64_t id = 0;
  const auto taken = [&](int times) {
    int answered = 0;
    for (int n = 0; n < times; ++n) answered += rig.hears(1, ++id, 1).empty() ? 0 : 1;
    return answered;
  };
  CHECK(taken(100) == kOverlayPeerPace.burst);
  CHECK(rig.offences == 100 - kOverlayPeerPace.burst);
  rig.now += kOverlayPace.interval;
  CHECK(taken(100) == 2);
  rig.now += 1h;
  CHECK(taken(100) == kOverlayPeerPace.burst);
  // All that was known of it goes with its connection.
  rig.overlay.on_closed(conn_of(1));
  CHECK(taken(100) == kOverlayPeerPace.burst);
}

TEST_CASE("we pass no more on to one peer than it is bound to take") {
  Rig rig(2);
  int passed = 0;
  // Each from another connection, so that none of them asks too much.
  for (int n = 0; n < 200; ++n) {
    rig.overlay.on_query(link(100 + n), {QueryId(static_cast<std::uint64_t>(n) + 1), hash(2), 2},
                         rig.now);
    for (const Send& send : rig.sent()) passed += send.conn == conn_of(1) ? 1 : 0;
  }
  CHECK(passed == kOverlayPace.burst);
  rig.now += kOverlayPace.interval;
  rig.view.neighbours = {link(1)};
  CHECK(rig.hears(300, 1000).size() == 1);
  CHECK(rig.hears(301, 1001).empty());
}

TEST_CASE("the same seed asks the same neighbours by the same id") {
  const auto run = [](std::uint64_t seed) {
    Rig rig(30, seed);
    std::vector<std::pair<ConnId, QueryId>> out;
    for (const Send& send : rig.want()) out.emplace_back(send.conn, query_of(send).id);
    return out;
  };
  CHECK(run(7) == run(7));
  CHECK(run(7) != run(8));
}

}  // namespace
}  // namespace tributary::core
