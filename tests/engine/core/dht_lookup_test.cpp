#include "engine/core/dht_lookup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "engine/core/dht_node_id.h"
#include "tests/engine/core/dht_rig.h"

namespace tributary::core::dht {
namespace {

Contact node(std::uint8_t first, std::uint8_t host) {
  return {id_of(first), Endpoint::v4(10, 0, 0, host, 6881)};
}

const NodeId kTarget;
const NodeId kSelf = id_of(0xff, 0xff);

TEST_CASE("a lookup asks the closest first, at most so many at once") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 2});
  lookup.add_start(node(8, 1));
  lookup.add_start(node(2, 2));
  lookup.add_start(node(4, 3));
  CHECK(lookup.next() == node(2, 2));
  CHECK(lookup.next() == node(4, 3));
  CHECK_FALSE(lookup.next());
  lookup.on_reply(node(4, 3).endpoint, {id_of(4), {node(1, 4)}, {}, "t"});
  CHECK(lookup.next() == node(1, 4));
  lookup.on_failure(node(2, 2).endpoint);
  CHECK(lookup.next() == node(8, 1));
  CHECK_FALSE(lookup.done());
  lookup.on_failure(node(8, 1).endpoint);
  lookup.on_reply(node(1, 4).endpoint, {id_of(1), {}, {}, "u"});
  CHECK(lookup.done());
  const auto holders = lookup.holders();
  REQUIRE(holders.size() == 2);
  CHECK(holders[0].node == node(1, 4));
  CHECK(holders[0].token == "u");
  CHECK(holders[1].token == "t");
  CHECK(lookup.progress().hops == 2);
  CHECK(lookup.progress().shared_bits == 7);
}

TEST_CASE("a lookup ends when the closest have answered, though farther nodes are known") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 1, .closest = 2, .per_path = 1});
  for (std::uint8_t i = 1; i <= 4; ++i) lookup.add_start(node(i, i));
  for (std::uint8_t i = 1; i <= 2; ++i) {
    CHECK(lookup.next() == node(i, i));
    lookup.on_reply(node(i, i).endpoint, {id_of(i), {}, {}, ""});
  }
  CHECK(lookup.done());
}

TEST_CASE("who names its fellows near the target ends its own way, not the search") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 1, .closest = 2, .paths = 2, .per_path = 2});
  lookup.add_start(node(0x40, 1));  // the liar
  lookup.add_start(node(0x80, 2));
  CHECK(lookup.next() == node(0x40, 1));
  lookup.on_reply(node(0x40, 1).endpoint, {id_of(0x40), {node(4, 4), node(5, 5)}, {}, ""});
  for (std::uint8_t i = 4; i <= 5; ++i) {
    CHECK(lookup.next() == node(i, i));
    lookup.on_reply(node(i, i).endpoint, {id_of(i), {}, {}, ""});
  }
  CHECK(lookup.next() == node(0x80, 2));
  lookup.on_reply(node(0x80, 2).endpoint, {id_of(0x80), {node(1, 6), node(2, 7)}, {}, ""});
  CHECK(lookup.next() == node(1, 6));
}

TEST_CASE("with one node to begin with the ways part at the second step") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 1, .closest = 1, .paths = 2, .per_path = 1});
  lookup.add_start(node(0x80, 1));
  REQUIRE(lookup.next());
  lookup.on_reply(node(0x80, 1).endpoint,
                  {id_of(0x80), {node(1, 2), node(2, 3), node(3, 4)}, {}, ""});
  CHECK(lookup.next() == node(1, 2));
  lookup.on_reply(node(1, 2).endpoint, {id_of(1), {}, {}, ""});
  CHECK(lookup.next() == node(2, 3));
  lookup.on_reply(node(2, 3).endpoint, {id_of(2), {}, {}, ""});
  CHECK(lookup.done());
}

TEST_CASE("beside nodes that are slow others are asked, up to twice as many") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 2});
  for (std::uint8_t i = 1; i <= 8; ++i) lookup.add_start(node(i, i));
  CHECK(lookup.next() == node(1, 1));
  CHECK(lookup.next() == node(2, 2));
  CHECK_FALSE(lookup.next());
  lookup.on_slow(node(1, 1).endpoint);
  lookup.on_slow(node(1, 1).endpoint);
  CHECK(lookup.next() == node(3, 3));
  CHECK_FALSE(lookup.next());
  lookup.on_slow(node(2, 2).endpoint);
  CHECK(lookup.next() == node(4, 4));
  lookup.on_slow(node(3, 3).endpoint);
  CHECK_FALSE(lookup.next());
  lookup.on_reply(node(1, 1).endpoint, {id_of(1), {}, {}, "late, but taken"});
  CHECK(lookup.holders().size() == 1);
  CHECK(lookup.next() == node(5, 5));
}

TEST_CASE("answers of strangers, second answers and answers under another id count for nothing") {
  Lookup lookup(kTarget, kSelf);
  lookup.add_start(node(2, 2));
  CHECK(lookup.next() == node(2, 2));
  const Endpoint peer = Endpoint::v4(1, 1, 1, 1, 1);
  lookup.on_reply(node(3, 3).endpoint, {id_of(3), {}, {peer}, ""});
  CHECK(lookup.peers().empty());
  lookup.on_reply(node(2, 2).endpoint, {id_of(1), {node(1, 1)}, {peer}, ""});
  CHECK(lookup.peers().empty());
  CHECK(lookup.progress().failed == 1);
  lookup.on_reply(node(2, 2).endpoint, {id_of(2), {}, {peer}, ""});
  CHECK(lookup.peers().empty());
  CHECK(lookup.done());
}

TEST_CASE("a bootstrap host is taken under whatever id it answers with") {
  Lookup lookup(kTarget, kSelf);
  lookup.add_start({kTarget, Endpoint::v4(10, 0, 0, 9, 1)}, false);
  REQUIRE(lookup.next());
  lookup.on_reply(Endpoint::v4(10, 0, 0, 9, 1), {id_of(7), {node(1, 1)}, {}, "t"});
  CHECK(lookup.next() == node(1, 1));
  CHECK(lookup.holders().front().node.id == id_of(7));
}

TEST_CASE("a search for the own id begins at a bootstrap host too") {
  Lookup lookup(kSelf, kSelf);
  lookup.add_start({kSelf, Endpoint::v4(10, 0, 0, 9, 1)}, false);
  CHECK(lookup.next());
}

TEST_CASE("public nodes with ids of others' addresses and crowds of one subnet are left out") {
  Random random(3);
  Lookup lookup(kTarget, kSelf, {.in_flight = 100});
  lookup.add_start({id_of(1), Endpoint::v4(21, 75, 31, 124, 1)});
  const auto first = lookup.next();
  REQUIRE(first);
  Reply reply{first->id, {{id_of(2), Endpoint::v4(124, 31, 75, 21, 1)}}, {}, ""};
  for (std::uint8_t host = 1; host <= 7; ++host) {
    const Endpoint at = Endpoint::v4(124, 31, 75, host, 1);
    reply.nodes.push_back({secure_id(at, random), at});
  }
  lookup.on_reply(first->endpoint, reply);
  for (int i = 0; i < 2; ++i) {
    const auto next = lookup.next();
    REQUIRE(next);
    CHECK(is_secure(next->id, next->endpoint));
  }
  CHECK_FALSE(lookup.next());
}

TEST_CASE("own id, port 0 and known addresses or ids are not asked") {
  Lookup lookup(kTarget, kSelf, {.in_flight = 100});
  lookup.add_start({kSelf, Endpoint::v4(10, 0, 0, 1, 1)});
  lookup.add_start({id_of(1), Endpoint::v4(10, 0, 0, 2, 0)});
  lookup.add_start(node(2, 3));
  lookup.add_start(node(2, 4));
  lookup.add_start({id_of(5), node(2, 3).endpoint});
  CHECK(lookup.next() == node(2, 3));
  CHECK_FALSE(lookup.next());
}

TEST_CASE("a liar that always knows somebody closer meets the limit of queries") {
  const LookupLimits limits{.candidates = 16, .queries = 50};
  Lookup lookup(kTarget, kSelf, limits);
  lookup.add_start(node(0x80, 1));
  std::uint16_t port = 1;
  while (const auto asked = lookup.next()) {
    Reply reply{asked->id, {}, {}, ""};
    for (std::size_t i = 0; i < kBucketSize; ++i) {
      ++port;
      NodeId closer;  // than all before it
      closer.bytes[4] = static_cast<std::uint8_t>((0xffff - port) >> 8);
      closer.bytes[5] = static_cast<std::uint8_t>(0xffff - port);
      reply.nodes.push_back({closer, Endpoint::v4(10, 1, 1, 1, port)});
    }
    lookup.on_reply(asked->endpoint, reply);
  }
  CHECK(lookup.done());
  CHECK(lookup.progress().asked == limits.queries);
}

TEST_CASE("at most so many peers are kept, each once") {
  Lookup lookup(kTarget, kSelf, {.peers = 3});
  lookup.add_start(node(1, 1));
  REQUIRE(lookup.next());
  Reply reply{id_of(1), {}, {}, ""};
  for (std::uint8_t i = 0; i < 10; ++i) reply.peers.push_back(Endpoint::v4(1, 1, 1, i / 2, 1));
  lookup.on_reply(node(1, 1).endpoint, reply);
  CHECK(lookup.peers().size() == 3);
}

// A network whose nodes each know up to k random others for each length of shared prefix.
class Network {
 public:
  Network(std::size_t size, std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < size; ++i) {
      const auto high = static_cast<std::uint8_t>(i >> 8);
      nodes_.push_back(
          {random_id(random_), Endpoint::v4(10, high, static_cast<std::uint8_t>(i), 1, 1)});
    }
    std::sort(nodes_.begin(), nodes_.end());
  }

  const Contact& any() { return nodes_[random_.below(nodes_.size())]; }

  // The k closest of what `asked` knows: its bucket of the target, filled up from its neighbours.
  std::vector<Contact> answer(const NodeId& asked, const NodeId& target) {
    const int shared = shared_bits(asked, target);
    auto [first, last] = sharing(target, std::min(shared + 1, kIdBits));
    std::vector<Contact> known;
    if (static_cast<std::size_t>(last - first) >= kBucketSize) {
      for (std::size_t i = 0; i < kBucketSize; ++i) {
        known.push_back(nodes_[first + random_.below(last - first)]);
      }
      return known;
    }
    return closest(target);
  }

  std::vector<Contact> closest(const NodeId& target) const {
    std::vector<Contact> all = nodes_;
    std::partial_sort(all.begin(), all.begin() + kBucketSize, all.end(),
                      [&](const Contact& a, const Contact& b) {
                        return distance(a.id, target) < distance(b.id, target);
                      });
    all.resize(kBucketSize);
    return all;
  }

  Random& random() { return random_; }

 private:
  // The nodes that share so many leading bits with the target: a run of the sorted ids.
  std::pair<std::size_t, std::size_t> sharing(const NodeId& target, int bits) const {
    const auto begin = std::partition_point(nodes_.begin(), nodes_.end(), [&](const Contact& n) {
      return n.id < target && shared_bits(n.id, target) < bits;
    });
    const auto end = std::partition_point(
        begin, nodes_.end(), [&](const Contact& n) { return shared_bits(n.id, target) >= bits; });
    return {static_cast<std::size_t>(begin - nodes_.begin()),
            static_cast<std::size_t>(end - nodes_.begin())};
  }

  std::vector<Contact> nodes_;
  Random random_;
};

struct Outcome {
  int found = 0;  // lookups whose closest node is the network's closest that lives
  int most_hops = 0;
};

// A node whose address draws below `dead` never answers.
bool is_dead(const Contact& contact, std::uint64_t percent) {
  return Random(contact.endpoint.address[13] * 256U + contact.endpoint.address[14]).below(100) <
         percent;
}

Outcome run(std::size_t size, std::uint64_t dead_percent, int lookups) {
  Network network(size, 11);
  Outcome outcome;
  for (int i = 0; i < lookups; ++i) {
    const NodeId target = random_id(network.random());
    Lookup lookup(target, kSelf);
    for (int start = 0; start < 8; ++start) lookup.add_start(network.any());
    while (const auto asked = lookup.next()) {
      if (is_dead(*asked, dead_percent)) {
        lookup.on_failure(asked->endpoint);
        continue;
      }
      lookup.on_reply(asked->endpoint, {asked->id, network.answer(asked->id, target), {}, "t"});
    }
    const auto holders = lookup.holders();
    const auto best = network.closest(target);
    const auto alive = std::find_if(best.begin(), best.end(), [&](const Contact& contact) {
      return !is_dead(contact, dead_percent);
    });
    const bool hit = alive != best.end() && !holders.empty() && holders.front().node == *alive;
    outcome.found += hit ? 1 : 0;
    outcome.most_hops = std::max(outcome.most_hops, lookup.progress().hops);
  }
  return outcome;
}

TEST_CASE("a thousand nodes are searched in fewer hops than their number has bits") {
  const Outcome outcome = run(1000, 0, 50);
  MESSAGE("seed 11: found " << outcome.found << " of 50, most hops " << outcome.most_hops);
  CHECK(outcome.found == 50);
  CHECK(outcome.most_hops <= 10);
}

TEST_CASE("a thousand nodes are searched though 30 in 100 are dead") {
  const Outcome outcome = run(1000, 30, 50);
  MESSAGE("seed 11: found " << outcome.found << " of 50, most hops " << outcome.most_hops);
  CHECK(outcome.found >= 48);
  CHECK(outcome.most_hops <= 12);
}

}  // namespace
}  // namespace tributary::core::dht
