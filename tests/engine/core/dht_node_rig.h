// A DHT node under test, its clock, and what it did since it was last asked.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/dht_node.h"
#include "tests/engine/core/dht_rig.h"

namespace tributary::core::dht {

inline constexpr TimePoint kStart = TimePoint(1000s);
inline const NodeId kOwn = id_of(0xff, 0xff);

inline Contact contact(std::uint8_t first, std::uint8_t host) {
  return {id_of(first, host), Endpoint::v4(10, 0, 0, host, 6881)};
}

inline NodeParams params() {
  NodeParams out;
  out.id = kOwn;
  out.digest = &toy_digest;
  return out;
}

// A node, its clock, and what it did since it was last asked.
struct Rig {
  explicit Rig(const NodeParams& p = params()) : node(p, kStart) {}

  // All that the node wants done.
  std::vector<Action> drain() {
    std::vector<Action> out;
    while (auto action = node.poll()) out.push_back(std::move(*action));
    return out;
  }
  template <class T>
  std::vector<T> drain_only() {
    std::vector<T> out;
    for (Action& action : drain()) {
      if (auto* one = std::get_if<T>(&action)) out.push_back(std::move(*one));
    }
    return out;
  }
  std::vector<SendDatagram> sent() { return drain_only<SendDatagram>(); }

  // A query from outside; what is sent back.
  std::optional<Message> ask(const Contact& from, Query query) {
    query.id = from.id;
    node.handle(from.endpoint, {"tt", std::move(query), {}}, now);
    for (SendDatagram& each : sent()) {
      if (each.to == from.endpoint && each.message.transaction == "tt") return each.message;
    }
    return std::nullopt;
  }
  void answer(const SendDatagram& query, const Reply& reply,
              std::optional<Endpoint> seen_as = std::nullopt) {
    node.handle(query.to, {query.message.transaction, reply, seen_as}, now);
  }
  // Lets deadlines act one after the other until then.
  void run_until(TimePoint end) {
    while (node.next_deadline() <= end) {
      now = std::max(now, node.next_deadline());
      node.tick(now);
    }
    now = end;
  }
  // Puts a node into the table as it is in life: it asks, is pinged, answers.
  void befriend(const Contact& who) {
    node.suggest({who}, now);
    run_until(now + 200ms);
    for (const SendDatagram& each : sent()) {
      if (each.to == who.endpoint) answer(each, {who.id, {}, {}, {}});
    }
    REQUIRE(node.table().state_of(who.id, now) == NodeState::kGood);
    drain();
  }

  TimePoint now = kStart;
  Node node;
};

inline const Query& query_of(const SendDatagram& sent) {
  return std::get<Query>(sent.message.body);
}

inline Query query(Method method, const NodeId& target = NodeId()) {
  Query out;
  out.method = method;
  out.target = target;
  return out;
}

}  // namespace tributary::core::dht
