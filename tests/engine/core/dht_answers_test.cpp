// dht::Node: what it answers to others.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/engine/core/dht_node_rig.h"

namespace tributary::core::dht {
namespace {

TEST_CASE("a ping is answered with the id and the address it came from") {
  Rig rig;
  const auto answer = rig.ask(contact(1, 1), query(Method::kPing));
  REQUIRE(answer);
  CHECK(std::get<Reply>(answer->body) == Reply{kOwn, {}, {}, {}});
  CHECK(answer->seen_as == contact(1, 1).endpoint);
}

TEST_CASE("find_node is answered with the closest nodes of the table") {
  Rig rig;
  for (std::uint8_t i = 1; i <= 12; ++i) {
    rig.befriend(contact(static_cast<std::uint8_t>(i * 20), i));
  }
  const auto answer = rig.ask(contact(200, 99), query(Method::kFindNode, id_of(21)));
  REQUIRE(answer);
  const auto& nodes = std::get<Reply>(answer->body).nodes;
  REQUIRE(nodes.size() == kBucketSize);
  CHECK(nodes.front() == contact(20, 1));
  CHECK(std::get<Reply>(answer->body).token.empty());
}

TEST_CASE("who shows its token is announced, and found by the next who asks") {
  Rig rig;
  const NodeId hash = id_of(7);
  const auto first = rig.ask(contact(1, 1), query(Method::kGetPeers, hash));
  REQUIRE(first);
  CHECK(std::get<Reply>(first->body).peers.empty());
  Query announce = query(Method::kAnnouncePeer, hash);
  announce.token = std::get<Reply>(first->body).token;
  announce.port = 51413;
  CHECK(std::holds_alternative<Reply>(rig.ask(contact(1, 1), announce)->body));
  announce.implied_port = true;
  CHECK(std::holds_alternative<Reply>(rig.ask(contact(1, 1), announce)->body));
  auto peers = std::get<Reply>(rig.ask(contact(2, 2), query(Method::kGetPeers, hash))->body).peers;
  std::sort(peers.begin(), peers.end());
  CHECK(peers ==
        std::vector<Endpoint>{Endpoint::v4(10, 0, 0, 1, 6881), Endpoint::v4(10, 0, 0, 1, 51413)});
  rig.now += 30min;
  CHECK(
      std::get<Reply>(rig.ask(contact(2, 2), query(Method::kGetPeers, hash))->body).peers.empty());
}

TEST_CASE("an announcement with another's token, or an old one, is refused") {
  Rig rig;
  const NodeId hash = id_of(7);
  const auto first = rig.ask(contact(1, 1), query(Method::kGetPeers, hash));
  Query announce = query(Method::kAnnouncePeer, hash);
  announce.token = std::get<Reply>(first->body).token;
  announce.port = 1;
  const auto refused = rig.ask(contact(2, 2), announce);
  REQUIRE(refused);
  CHECK(std::get<ErrorReply>(refused->body).code == kProtocolError);
  rig.now += 10min;
  CHECK(std::holds_alternative<ErrorReply>(rig.ask(contact(1, 1), announce)->body));
  CHECK(rig.node.peer_store().peer_count() == 0);
}

TEST_CASE("one address gets so many answers, and all together") {
  NodeParams p = params();
  p.answers = {.per_address_burst = 5, .total_burst = 8};
  Rig rig(p);
  int answers = 0;
  for (int i = 0; i < 20; ++i) answers += rig.ask(contact(1, 1), query(Method::kPing)) ? 1 : 0;
  CHECK(answers == 5);
  for (int i = 0; i < 20; ++i) answers += rig.ask(contact(2, 2), query(Method::kPing)) ? 1 : 0;
  CHECK(answers == 8);
  CHECK(rig.node.stats().refused == 32);
  rig.now += 200ms;
  CHECK(rig.ask(contact(1, 1), query(Method::kPing)));
  CHECK_FALSE(rig.ask(contact(1, 1), query(Method::kPing)));
}

TEST_CASE("a read-only node says so and answers nobody") {
  NodeParams p = params();
  p.read_only = true;
  Rig rig(p);
  CHECK_FALSE(rig.ask(contact(1, 1), query(Method::kPing)));
  rig.node.bootstrap({contact(1, 1).endpoint}, rig.now);
  const auto sent = rig.sent();
  REQUIRE(sent.size() == 1);
  CHECK(query_of(sent[0]).read_only);
}

TEST_CASE("a read-only asker is answered, and not asked back") {
  Rig rig;
  Query ping = query(Method::kPing);
  ping.read_only = true;
  CHECK(rig.ask(contact(1, 1), ping));
  rig.run_until(rig.now + 1min);
  CHECK(rig.sent().empty());
}

TEST_CASE("a pair asks for both families, answers with both, and hands nodes over") {
  Endpoint six;
  six.address[0] = 0xfd;
  six.port = 6;
  NodeParams p6 = params();
  p6.v4 = false;
  Rig v6(p6);
  v6.befriend({id_of(6, 6), six});
  Rig v4;
  v4.node.pair_with(&v6.node);
  v4.befriend(contact(1, 1));
  Query both = query(Method::kFindNode, id_of(1));
  both.want_v4 = both.want_v6 = true;
  auto answer = v4.ask(contact(2, 2), both);
  REQUIRE(answer);
  CHECK(std::get<Reply>(answer->body).nodes ==
        std::vector<Contact>{contact(1, 1), {id_of(6, 6), six}});
  both.want_v4 = false;
  answer = v4.ask(contact(2, 2), both);
  CHECK(std::get<Reply>(answer->body).nodes == std::vector<Contact>{{id_of(6, 6), six}});
  answer = v4.ask(contact(2, 2), query(Method::kFindNode, id_of(1)));
  CHECK(std::get<Reply>(answer->body).nodes == std::vector<Contact>{contact(1, 1)});

  v4.node.find_nodes(id_of(1), v4.now);
  const auto sent = v4.sent();
  REQUIRE(sent.size() == 1);
  CHECK(query_of(sent[0]).want_v4);
  CHECK(query_of(sent[0]).want_v6);
  Endpoint seven = six;
  seven.address[15] = 7;
  v4.answer(sent[0], {id_of(1, 1), {{id_of(7), seven}}, {}, {}});
  const auto other = v4.drain_only<OtherFamily>();
  REQUIRE(other.size() == 1);
  v6.node.suggest(other[0].nodes, v6.now);
  v6.run_until(v6.now + 200ms);
  CHECK(v6.sent().at(0).to == seven);
}

}  // namespace
}  // namespace tributary::core::dht
