// How the addresses of peers decide who is dialled and who is kept.
#include <doctest/doctest.h>

#include <vector>

#include "engine/core/parting.h"
#include "engine/core/peer_book.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

const BanList kNoBans;
using Outcome = PeerBook::Outcome;
const Endpoint kOwn = Endpoint::v4(20, 1, 1, 1, 6881);
const Endpoint kSubnet = Endpoint::v4(20, 1, 1, 9, 1);
const Endpoint kOperator = Endpoint::v4(20, 9, 9, 9, 1);
const Endpoint kFar = Endpoint::v4(30, 1, 1, 1, 1);
const Endpoint kFarther = Endpoint::v4(40, 1, 1, 1, 1);

OperatorTable table() {
  OperatorTable out;
  out.add(Endpoint::v4(20, 0, 0, 0, 0), 96 + 8, "ours");
  return out;
}

// In the order in which they are dialled; all dials fail, and nobody is tried twice.
std::vector<Endpoint> dialled(PeerBook& book) {
  std::vector<Endpoint> out;
  while (const auto next = book.next_dial(TimePoint(), kNoBans)) {
    out.push_back(*next);
    book.on_failed(*next, TimePoint());
  }
  return out;
}

TEST_CASE("the nearest is dialled first, whatever the order of the answer") {
  const OperatorTable operators = table();
  Locality locality(&operators);
  locality.set_own(kOwn);
  PeerBook book;
  book.rank_by(locality);
  book.add(std::vector{kFar, kOperator, kSubnet}, PeerSource::kTracker);
  CHECK(dialled(book) == std::vector{kSubnet, kOperator, kFar});
}

TEST_CASE("of the equally near the one that BEP 40 values more is dialled first") {
  Locality locality;
  locality.set_own(kOwn);
  PeerBook book;
  book.rank_by(locality);
  const bool in_order = canonical_priority(kOwn, kFar) > canonical_priority(kOwn, kFarther);
  book.add(std::vector{kFar, kFarther}, PeerSource::kTracker);
  CHECK(dialled(book) == (in_order ? std::vector{kFar, kFarther} : std::vector{kFarther, kFar}));
}

TEST_CASE("who was known before our address was is ranked when it is") {
  const OperatorTable operators = table();
  Locality locality(&operators);
  PeerBook book;
  book.rank_by(locality);
  book.add(std::vector{kFar, kOperator, kSubnet}, PeerSource::kTracker);
  locality.set_own(kOwn);
  book.rank_by(locality);
  CHECK(dialled(book) == std::vector{kSubnet, kOperator, kFar});
}

TEST_CASE("one dial in four goes to who is next without regard to nearness") {
  const OperatorTable operators = table();
  Locality locality(&operators);
  locality.set_own(kOwn);
  PeerBook book;
  book.rank_by(locality);
  // Of whom the far one is of the highest priority.
  Endpoint far = kFar;
  std::vector<Endpoint> all;
  std::uint32_t best = 0;
  for (std::uint8_t i = 0; i < 8; ++i) {
    all.push_back(Endpoint::v4(20, 9, i, 9, 1));
    best = std::max(best, canonical_priority(kOwn, all.back()));
  }
  for (std::uint8_t i = 1; canonical_priority(kOwn, far) <= best; ++i) far.address[13] = i;
  all.push_back(far);
  book.add(all, PeerSource::kTracker);
  const std::vector<Endpoint> order = dialled(book);
  REQUIRE(order.size() == all.size());
  CHECK(order[3] == far);
}

TEST_CASE("peers' word comes last, be the address as near as it likes") {
  const OperatorTable operators = table();
  Locality locality(&operators);
  locality.set_own(kOwn);
  PeerBook book;
  book.rank_by(locality);
  book.add(std::vector{kSubnet}, PeerSource::kExchange);
  book.add(std::vector{kFar}, PeerSource::kTracker);
  CHECK(dialled(book) == std::vector{kFar, kSubnet});
}

TEST_CASE("of the equally near who answered sooner is called again first") {
  Locality locality;
  locality.set_own(kOwn);
  PeerBook book;
  book.rank_by(locality);
  for (const bool swapped : {false, true}) {
    book.add(std::vector{kFar, kFarther}, PeerSource::kTracker);
    TimePoint now(swapped ? 2h : 1h);
    for (int i = 0; i < 2; ++i) {
      const auto next = book.next_dial(now, kNoBans);
      REQUIRE(next);
      book.on_connected(*next, (*next == kFar) == swapped ? 20ms : 90ms);
    }
    for (const Endpoint& each : {kFar, kFarther}) book.on_closed(each, Outcome::kUseful, now);
    const auto again = book.next_dial(now + 1min, kNoBans);
    REQUIRE(again);
    CHECK(*again == (swapped ? kFar : kFarther));
    book.on_connected(*again);
    book.on_closed(*again, Outcome::kUseful, now + 1min);
  }
}

TEST_CASE("of the equally useless the farthest goes, then who answers late") {
  const auto neighbour = [](int n, Nearness nearness, Duration round_trip) {
    Neighbour out{conn_of(n), 0_B, 0_B, false, false, TimePoint(1min), {}, round_trip};
    out.rank = {nearness, 7};
    return out;
  };
  const std::vector all{
      neighbour(1, Nearness::kSubnet, 1ms), neighbour(2, Nearness::kElsewhere, 9ms),
      neighbour(3, Nearness::kOperator, 50ms), neighbour(4, Nearness::kOperator, 20ms)};
  CHECK(choose_partings(all, 0, TimePoint(1h)) ==
        std::vector{conn_of(2), conn_of(3), conn_of(4), conn_of(1)});
}

TEST_CASE("a swarm learns its address by what peers of several networks say, then ranks by it") {
  const OperatorTable operators = table();
  const Metainfo meta = make_track({});
  SwarmParams params = swarm_params(TorrentId(7), Policy::peers_only(), 1000, {});
  params.rank_addresses = true;
  params.operators = &operators;
  BanList bans;
  TimePoint now{};
  Swarm swarm(meta, params, Bitfield(), bans, now);
  swarm.share(true, now);
  for (int n = 1; n <= 5; ++n) {
    Handshake hello{InfoHash{}, peer_id_of(n), true, true, false};
    const Endpoint remote = Endpoint::v4(static_cast<std::uint8_t>(50 + n), 1, 1, 1, 9);
    swarm.handle(PeerConnected{TorrentId(7), conn_of(n), remote, true, hello}, now);
    ExtendedHandshake seen;
    seen.your_ip = kOwn;
    seen.your_ip->port = 0;
    swarm.handle(PeerMessage{TorrentId(7), conn_of(n), seen}, now);
  }
  while (swarm.poll()) {
  }
  swarm.handle(PeersFound{TorrentId(7), PeerSource::kDht, {kFar, kOperator, kSubnet}}, now);
  std::vector<Endpoint> order;
  while (const auto action = swarm.poll()) {
    if (const auto* dial = std::get_if<Connect>(&*action)) order.push_back(dial->remote);
  }
  CHECK(order == std::vector{kSubnet, kOperator, kFar});
}

}  // namespace
}  // namespace tributary::core
