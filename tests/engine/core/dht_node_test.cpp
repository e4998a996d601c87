// dht::Node: what it asks, and when.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/engine/core/dht_node_rig.h"

namespace tributary::core::dht {
namespace {

TEST_CASE("a stranger that asks is pinged, and known once it answers from there") {
  Rig rig;
  const Contact stranger = contact(1, 1);
  rig.node.handle(stranger.endpoint, {"x", query(Method::kPing), {}}, rig.now);
  const auto sent = rig.sent();
  REQUIRE(sent.size() == 2);
  CHECK(query_of(sent[1]).method == Method::kPing);
  CHECK(sent[1].message.transaction.size() == 4);
  CHECK(rig.node.table().size() == 0);
  // Not from elsewhere, not under another transaction, not twice.
  const Message reply{sent[1].message.transaction, Reply{stranger.id, {}, {}, {}}, {}};
  rig.node.handle(contact(2, 2).endpoint, reply, rig.now);
  rig.node.handle(stranger.endpoint, {"abcd", reply.body, {}}, rig.now);
  CHECK(rig.node.table().size() == 0);
  CHECK(rig.node.stats().unmatched == 2);
  rig.node.handle(stranger.endpoint, reply, rig.now);
  CHECK(rig.node.table().size() == 1);
  rig.node.handle(stranger.endpoint, reply, rig.now);
  CHECK(rig.node.stats().unmatched == 3);
}

TEST_CASE("a node joins through a host, then looks for what its buckets lack") {
  Rig rig;
  const Contact host = contact(1, 1);
  rig.node.bootstrap({host.endpoint, Endpoint::v4(10, 0, 0, 9, 0)}, rig.now);
  auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == host.endpoint);
  CHECK(query_of(sent[0]).method == Method::kFindNode);
  CHECK(query_of(sent[0]).target == kOwn);
  CHECK_FALSE(rig.node.joined());
  rig.answer(sent[0], {host.id, {contact(2, 2)}, {}, {}});
  sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == contact(2, 2).endpoint);
  rig.answer(sent[0], {contact(2, 2).id, {host}, {}, {}});
  CHECK(rig.node.joined());
  CHECK(rig.node.table().size() == 2);
  sent = rig.sent();  // the only bucket is refreshed
  REQUIRE(sent.size() == 2);
  CHECK(query_of(sent[0]).method == Method::kFindNode);
  CHECK(query_of(sent[0]).target != kOwn);
}

TEST_CASE("who waits for the DHT is told once that it is joined") {
  Rig rig;
  const Contact host = contact(1, 1);
  rig.node.bootstrap({host.endpoint, host.endpoint}, rig.now);
  const auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  rig.answer(sent[0], {host.id, {}, {}, {}});
  CHECK(rig.drain_only<Joined>().size() == 1);
  rig.run_until(rig.now + 1h);
  CHECK(rig.drain_only<Joined>().empty());
}

TEST_CASE("a node of the world cannot name nodes and peers in our house") {
  Rig rig;
  const Contact far{id_of(0x10, 1), Endpoint::v4(192, 0, 2, 1, 6881)};
  rig.node.bootstrap({far.endpoint}, rig.now);
  auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  rig.answer(sent[0], {far.id, {}, {}, {}});
  rig.drain();
  rig.node.find_peers(id_of(0x11), rig.now);
  sent = rig.sent();
  REQUIRE(sent.size() == 1);
  const Endpoint house = Endpoint::v4(192, 168, 1, 1, 80);
  const Endpoint machine = Endpoint::v4(127, 0, 0, 1, 631);
  const Endpoint world = Endpoint::v4(192, 0, 2, 9, 6881);
  rig.answer(sent[0], {far.id,
                       {{id_of(0x11, 2), house}, {id_of(0x11, 3), machine}},
                       {house, machine, world},
                       "token"});
  const auto actions = rig.drain();
  REQUIRE(actions.size() == 3);
  CHECK(std::get<PeersFound>(actions[1]).peers == std::vector<Endpoint>{world});
  CHECK(std::holds_alternative<LookupDone>(actions[2]));
}

TEST_CASE("joining is tried again, less and less often, while nobody answers") {
  Rig rig;
  rig.node.bootstrap({contact(1, 1).endpoint}, rig.now);
  std::vector<Duration> at;
  for (int i = 0; i < 100 && at.size() < 10; ++i) {
    if (!rig.sent().empty()) at.push_back(rig.now - kStart);
    rig.run_until(rig.node.next_deadline());
  }
  REQUIRE(at.size() == 10);
  CHECK(at[1] == 7s);  // 2 s for the answer, then 5 s
  CHECK(at[2] == 19s);
  CHECK(at[9] - at[8] == 302s);
}

TEST_CASE("a node without upkeep sends nothing but searches and answers") {
  NodeParams p = params();
  p.upkeep = false;
  Rig rig(p);
  rig.node.bootstrap({contact(1, 1).endpoint}, rig.now);
  rig.node.suggest({contact(2, 2)}, rig.now);
  CHECK(rig.ask(contact(3, 3), query(Method::kPing)));
  CHECK(rig.sent().empty());
  CHECK(rig.node.next_deadline() == kNever);
  rig.node.find_nodes(id_of(9), rig.now);
  const auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == contact(1, 1).endpoint);
}

TEST_CASE("without a node or a host a search ends at once") {
  Rig rig;
  const LookupId id = rig.node.find_peers(id_of(1), rig.now);
  const auto actions = rig.drain();
  REQUIRE(actions.size() == 1);
  CHECK(std::get<LookupDone>(actions[0]).lookup == id);
  CHECK(std::get<LookupDone>(actions[0]).progress.asked == 0);
  CHECK(rig.node.next_deadline() == kNever);
}

TEST_CASE("a search reports each step, the peers and its end") {
  Rig rig;
  rig.befriend(contact(0x10, 1));
  const NodeId hash = id_of(0x11);
  const LookupId id = rig.node.find_peers(hash, rig.now);
  auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(query_of(sent[0]).method == Method::kGetPeers);
  rig.now += 30ms;
  const Endpoint peer = Endpoint::v4(10, 7, 7, 7, 7);
  rig.answer(sent[0], {id_of(0x10, 1), {contact(0x11, 2)}, {peer, peer}, "token"});
  auto actions = rig.drain();
  REQUIRE(actions.size() == 3);
  const auto& step = std::get<LookupStep>(actions[0]);
  CHECK(step.lookup == id);
  CHECK(step.node == contact(0x10, 1));
  CHECK(step.hop == 1);
  CHECK(step.answered);
  CHECK(step.took == 30ms);
  CHECK(step.shared_bits == 7);
  CHECK(step.nodes == 1);
  CHECK(step.peers == 2);
  CHECK(std::get<PeersFound>(actions[1]).peers == std::vector<Endpoint>{peer});
  CHECK(std::get<SendDatagram>(actions[2]).to == contact(0x11, 2).endpoint);
  rig.run_until(rig.now + 2s);
  actions = rig.drain();
  REQUIRE(actions.size() == 2);
  CHECK_FALSE(std::get<LookupStep>(actions[0]).answered);
  CHECK(std::get<LookupStep>(actions[0]).hop == 2);
  const auto& done = std::get<LookupDone>(actions[1]);
  CHECK(done.lookup == id);
  CHECK(done.progress.asked == 2);
  CHECK(done.progress.failed == 1);
  CHECK(done.peers == 1);
  REQUIRE(done.closest.size() == 1);
  CHECK(done.closest[0].token == "token");
}

TEST_CASE("an announcement goes to those who gave a token, and ends when they answered") {
  Rig rig;
  for (std::uint8_t i = 1; i <= 3; ++i) rig.befriend(contact(i, i));
  const LookupId id = rig.node.announce(id_of(1), 51413, rig.now);
  for (const SendDatagram& each : rig.sent()) {
    const auto host = each.to.address[15];
    rig.answer(each, {id_of(host, host), {}, {}, host == 2 ? "" : "token" + std::to_string(host)});
  }
  auto sent = rig.sent();
  REQUIRE(sent.size() == 2);
  for (const SendDatagram& each : sent) {
    const Query& announce = query_of(each);
    CHECK(announce.method == Method::kAnnouncePeer);
    CHECK(announce.target == id_of(1));
    CHECK(announce.token == "token" + std::to_string(each.to.address[15]));
    CHECK(announce.port == 51413);
    CHECK_FALSE(announce.implied_port);
  }
  rig.answer(sent[0], {id_of(1, 1), {}, {}, {}});
  CHECK(rig.drain_only<LookupDone>().empty());
  rig.node.handle(sent[1].to, {sent[1].message.transaction, ErrorReply{203, "no"}, {}}, rig.now);
  const auto done = rig.drain_only<LookupDone>();
  REQUIRE(done.size() == 1);
  CHECK(done[0].lookup == id);
  CHECK(done[0].announced == 1);
  CHECK(rig.node.table().good(rig.now) == 3);  // a refusal is no silence
}

TEST_CASE("port 0 announces the port that the datagram comes from") {
  Rig rig;
  rig.befriend(contact(1, 1));
  rig.node.announce(id_of(1), 0, rig.now);
  rig.answer(rig.sent().at(0), {id_of(1, 1), {}, {}, "t"});
  CHECK(query_of(rig.sent().at(0)).implied_port);
}

TEST_CASE("a cancelled search asks nobody any more and reports nothing") {
  Rig rig;
  rig.befriend(contact(1, 1));
  const LookupId id = rig.node.find_nodes(id_of(1), rig.now);
  const auto sent = rig.sent();
  rig.node.cancel(id, rig.now);
  rig.answer(sent.at(0), {id_of(1, 1), {contact(2, 2)}, {}, {}});
  CHECK(rig.drain().empty());
}

TEST_CASE("peers that announced themselves here are found here") {
  Rig rig;
  const auto first = rig.ask(contact(1, 1), query(Method::kGetPeers, id_of(7)));
  Query announce = query(Method::kAnnouncePeer, id_of(7));
  announce.token = std::get<Reply>(first->body).token;
  announce.port = 5;
  REQUIRE(rig.ask(contact(1, 1), announce));
  rig.node.find_peers(id_of(7), rig.now);
  const auto found = rig.drain_only<PeersFound>();
  REQUIRE(found.size() == 1);
  CHECK(found[0].peers == std::vector<Endpoint>{Endpoint::v4(10, 0, 0, 1, 5)});
}

TEST_CASE("when all known nodes are silent, a search goes through the hosts once more") {
  Rig rig;
  rig.befriend(contact(1, 1));
  for (std::uint8_t i = 2; i <= 8; ++i) rig.befriend(contact(i, i));
  const Endpoint host = Endpoint::v4(10, 5, 5, 5, 5);
  rig.node.bootstrap({host}, rig.now);
  rig.drain();
  rig.run_until(rig.now + 1s);
  rig.node.find_peers(id_of(1), rig.now);
  bool asked = false;
  for (int i = 0; i < 100 && !asked; ++i) {
    for (const SendDatagram& each : rig.sent()) {
      asked |= each.to == host && query_of(each).method == Method::kGetPeers;
    }
    rig.run_until(rig.node.next_deadline());
  }
  CHECK(asked);
}

TEST_CASE("a questionable node is pinged before another takes its place") {
  Rig rig;
  rig.befriend(contact(0xf0, 100));  // of the own half, so that the other cannot split
  for (std::uint8_t i = 1; i <= 8; ++i) {
    rig.befriend(contact(static_cast<std::uint8_t>(0x70 + i), i));
  }
  rig.now += 16min;
  rig.node.tick(rig.now);
  rig.drain();
  rig.node.suggest({contact(0x70, 50)}, rig.now);
  rig.run_until(rig.now + 200ms);
  for (const SendDatagram& each : rig.sent()) {
    if (each.to == contact(0x70, 50).endpoint) rig.answer(each, {id_of(0x70, 50), {}, {}, {}});
  }
  int pings = 0;
  for (int i = 0;
       i < 1000 && rig.node.table().state_of(id_of(0x70, 50), rig.now) != NodeState::kGood; ++i) {
    for (const SendDatagram& each : rig.sent()) {
      const bool first = each.to == contact(0x71, 1).endpoint;
      pings += first ? 1 : 0;
      if (!first)
        rig.answer(each, {id_of(static_cast<std::uint8_t>(0x70 + each.to.address[15]),
                                each.to.address[15]),
                          {},
                          {},
                          {}});
    }
    rig.run_until(rig.node.next_deadline());
  }
  CHECK(pings >= 1);
  CHECK(rig.node.table().state_of(id_of(0x71, 1), rig.now) == NodeState::kBad);
  CHECK(rig.node.table().size() == 9);
}

TEST_CASE("buckets without change are searched every 15 minutes") {
  Rig rig;
  rig.node.bootstrap({contact(1, 1).endpoint}, rig.now);
  rig.answer(rig.sent().at(0), {id_of(1, 1), {}, {}, {}});
  rig.answer(rig.sent().at(0), {id_of(1, 1), {}, {}, {}});  // the first refresh
  CHECK(rig.node.next_deadline() == rig.now + 15min);
  rig.run_until(rig.now + 15min);
  const auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(query_of(sent[0]).method == Method::kFindNode);
}

TEST_CASE("the address that most see is learnt, and an id taken that fits it") {
  NodeParams p = params();
  p.id = id_of(1);
  Rig rig(p);
  const Endpoint ours = Endpoint::v4(124, 31, 75, 21, 4000);
  const Endpoint liars = Endpoint::v4(99, 99, 99, 99, 1);
  REQUIRE_FALSE(is_secure(rig.node.id(), ours));
  for (std::uint8_t i = 0; i < 6; ++i) {
    CHECK_FALSE(rig.node.own_address());
    const Contact voter{id_of(static_cast<std::uint8_t>(0x80 + i)), Endpoint::v4(50, i, 1, 1, 1)};
    rig.node.suggest({voter}, rig.now);
    rig.run_until(rig.now + 200ms);
    for (const SendDatagram& each : rig.sent()) {
      if (each.to == voter.endpoint)
        rig.answer(each, {voter.id, {}, {}, {}}, i == 0 ? liars : ours);
    }
  }
  REQUIRE(rig.node.own_address());
  CHECK(rig.node.own_address()->address == ours.address);
  CHECK(is_secure(rig.node.id(), ours));
  CHECK(rig.node.table().size() == 6);
  rig.run_until(rig.now + 20s);  // what is under way ends first
  bool joins = false;            // the new neighbourhood is another one
  for (const SendDatagram& each : rig.sent()) joins |= query_of(each).target == rig.node.id();
  CHECK(joins);
}

TEST_CASE("one network has one vote about the address") {
  OwnAddress address;
  for (std::uint8_t i = 0; i < 100; ++i) {
    CHECK_FALSE(address.vote(Endpoint::v4(50, 1, 1, i, 1), Endpoint::v4(99, 9, 9, 9, 1)));
  }
  for (std::uint8_t i = 0; i < 100; ++i) {  // loopback and private voters have none
    CHECK_FALSE(address.vote(Endpoint::v4(10, 1, i, 1, 1), Endpoint::v4(99, 9, 9, 9, 1)));
    CHECK_FALSE(address.vote(Endpoint::v4(60, 1, i, 1, 1), Endpoint::v4(127, 0, 0, 1, 1)));
  }
}

TEST_CASE("all trackers together have one vote, and cannot decide") {
  OwnAddress address;
  const Endpoint ours = Endpoint::v4(99, 9, 9, 9, 0);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(address.vote_of_trackers(ours));
  CHECK_FALSE(address.vote_of_trackers(Endpoint::v4(10, 0, 0, 1, 0)));
  for (std::uint8_t i = 0; i < 4; ++i) {
    CHECK_FALSE(address.address());
    CHECK(address.vote(Endpoint::v4(50, i, 1, 1, 1), ours) == (i == 3));
  }
  CHECK(address.address() == ours);
}

TEST_CASE("a restart finds its way back without a host") {
  Rig before;
  for (std::uint8_t i = 1; i <= 5; ++i) before.befriend(contact(i, i));
  Rig after;
  after.node.restore(before.node.save(before.now), 1h, after.now);
  CHECK(after.node.table().size() == 5);
  CHECK(after.node.table().good(after.now) == 0);
  const auto sent = after.sent();
  CHECK(sent.size() == 4);
  CHECK(query_of(sent.at(0)).target == kOwn);
}

TEST_CASE("whatever arrives from wherever, a node keeps its limits") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Rig rig;
    rig.node.bootstrap({contact(1, 1).endpoint}, rig.now);
    std::vector<SendDatagram> asked;
    std::size_t most = 0;
    for (int i = 0; i < 3000; ++i) {
      for (SendDatagram& each : rig.sent()) {
        if (std::holds_alternative<Query>(each.message.body)) asked.push_back(std::move(each));
      }
      most = std::max(most, asked.size());
      rig.now += Duration(static_cast<std::int64_t>(random.below(300'000)));
      const auto anybody = [&] {
        return Contact{random_id(random),
                       Endpoint::v4(static_cast<std::uint8_t>(random.below(256)), 0, 0,
                                    static_cast<std::uint8_t>(random.below(256)),
                                    static_cast<std::uint16_t>(random.below(3)))};
      };
      Reply reply{random_id(random), {}, {}, random.chance(1, 2) ? "t" : ""};
      for (int n = 0; n < 8; ++n) reply.nodes.push_back(anybody());
      for (int n = 0; n < 8; ++n) reply.peers.push_back(anybody().endpoint);
      if (!asked.empty() && random.chance(2, 3)) {
        const std::size_t at = random.below(asked.size());
        rig.answer(asked[at], reply, anybody().endpoint);
        asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (random.chance(1, 2)) {
        rig.ask(anybody(), query(static_cast<Method>(random.below(4)), random_id(random)));
      } else if (random.chance(1, 10)) {
        rig.node.announce(random_id(random), 0, rig.now);
      } else {
        rig.node.tick(rig.now);
      }
      rig.node.table().check();
      REQUIRE(rig.node.table().size() <= 8 * 160);
    }
    MESSAGE("seed " << seed << ": " << rig.node.stats().asked << " asked");
  }
}

}  // namespace
}  // namespace tributary::core::dht
