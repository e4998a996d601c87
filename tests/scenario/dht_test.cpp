// Searches of the DHT in populations: how many hops they take, and how often they succeed.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/sim/dht_net.h"

namespace tributary::sim {
namespace {

struct Outcome {
  int searches = 0;
  int found = 0;
  int most_hops = 0;             // to a node that named the peer
  int longest = 0;               // chain of referrals, the last confirmations included
  std::size_t queries = 0;       // of all
  std::size_t true_closest = 0;  // of the 8 closest nodes, found, over all searches
};

constexpr std::uint16_t kPeerPort = 51413;
constexpr int kSearches = 100;

// Each search is for another hash, which another node announced; then so many in a hundred leave.
Outcome run(DhtNet& net, int leave_percent) {
  struct Announced {
    core::dht::NodeId hash;
    Endpoint peer;
  };
  std::vector<Announced> announced;
  for (int i = 0; i < kSearches; ++i) {
    const HostId host = net.any_honest();
    announced.push_back({net.any_id(), net.endpoint(host)});
    announced.back().peer.port = kPeerPort;
    CHECK(net.announce(host, announced.back().hash, kPeerPort).announced > 0);
  }
  net.depart(leave_percent);
  Outcome outcome;
  for (const Announced& each : announced) {
    const DhtSearch search = net.search(net.any_honest(), each.hash, each.peer);
    ++outcome.searches;
    outcome.found += search.found ? 1 : 0;
    if (search.found) outcome.most_hops = std::max(outcome.most_hops, search.hops);
    outcome.longest = std::max(outcome.longest, search.progress.hops);
    outcome.queries += search.progress.asked;
    for (const auto& node : net.truly_closest(each.hash, core::dht::kBucketSize)) {
      const auto& got = search.closest;
      outcome.true_closest += std::find(got.begin(), got.end(), node) != got.end() ? 1U : 0U;
    }
  }
  MESSAGE("seed 1: found " << outcome.found << " of " << outcome.searches << ", most hops "
                           << outcome.most_hops << ", longest chain " << outcome.longest
                           << ", queries " << outcome.queries / kSearches << " each, "
                           << outcome.true_closest * 100 / (8 * kSearches)
                           << " % of the closest nodes");
  return outcome;
}

DhtNetParams population(std::size_t nodes, int lying_percent = 0) {
  DhtNetParams params;
  params.nodes = nodes;
  params.lying_percent = lying_percent;
  params.node.peers.lifetime = std::chrono::hours(24);  // no announcement expires meanwhile
  return params;
}

// 1,000 nodes: log2 is 10.
constexpr std::size_t kNodes = 1000;
constexpr int kLog2 = 10;

TEST_CASE("a thousand nodes that joined by themselves find what is announced in log n hops") {
  DhtNet net(population(kNodes));
  net.join_all(50ms, 2min);
  CHECK(net.joined() >= kNodes - 1);
  const Outcome outcome = run(net, 0);
  CHECK(outcome.found == outcome.searches);
  CHECK(outcome.most_hops <= kLog2 / 2);
  CHECK(outcome.longest <= kLog2);
  CHECK(outcome.queries <= 40 * kSearches);
  CHECK(outcome.true_closest >= 8 * kSearches * 95 / 100);
}

TEST_CASE("a thousand nodes of which 30 in 100 are gone find what is announced") {
  DhtNet net(population(kNodes));
  net.join_all(50ms, 2min);
  const Outcome outcome = run(net, 30);
  CHECK(outcome.found >= kSearches * 99 / 100);
  CHECK(outcome.most_hops <= kLog2);
  CHECK(outcome.longest <= kLog2);
  CHECK(outcome.queries <= 60 * kSearches);
}

TEST_CASE("a thousand nodes of which 10 in 100 lie find what is announced") {
  DhtNet net(population(kNodes, 10));
  net.join_all(50ms, 2min);
  const Outcome outcome = run(net, 0);
  CHECK(outcome.found >= kSearches * 99 / 100);
  CHECK(outcome.most_hops <= kLog2);
  CHECK(outcome.longest <= kLog2);
  CHECK(outcome.queries <= 120 * kSearches);
}

TEST_CASE("tables that were filled serve as those that grew") {
  DhtNetParams params = population(kNodes);
  params.node.upkeep = false;
  DhtNet net(params);
  net.fill_tables();
  const Outcome outcome = run(net, 0);
  CHECK(outcome.found == outcome.searches);
  CHECK(outcome.most_hops <= kLog2 / 2);
  CHECK(outcome.true_closest >= 8 * kSearches * 95 / 100);
}

TEST_CASE("one seed gives one course of a DHT, another seed another") {
  const auto course = [](std::uint64_t seed) {
    DhtNetParams params = population(100);
    params.seed = seed;
    DhtNet net(params);
    net.join_all(50ms, 20min);
    return net.datagrams();
  };
  CHECK(course(1) == course(1));
  CHECK(course(1) != course(2));
}

}  // namespace
}  // namespace tributary::sim
