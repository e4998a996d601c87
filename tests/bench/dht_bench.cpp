// Searches of the modelled DHT: dht_bench NODES GONE_PERCENT LYING_PERCENT SEARCHES prints one JSON
// line.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/sim/dht_net.h"

namespace {

using tributary::Endpoint;
using tributary::sim::DhtNet;
using tributary::sim::DhtNetParams;
using tributary::sim::DhtSearch;
using tributary::sim::HostId;

constexpr std::uint16_t kPeerPort = 51413;

struct Case {
  int nodes = 0;
  int gone = 0;
  int lying = 0;
  int searches = 0;
};

struct Series {
  std::vector<std::int64_t> values;

  void add(std::int64_t value) { values.push_back(value); }
  double mean() const {
    std::int64_t sum = 0;
    for (const std::int64_t value : values) sum += value;
    return values.empty() ? 0 : static_cast<double>(sum) / static_cast<double>(values.size());
  }
  std::int64_t quantile(std::size_t percent) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, values.size() * percent / 100)];
  }
  std::string json(const char* name) {
    char text[200];
    std::snprintf(text, sizeof text,
                  "\"%s\": {\"mean\": %.2f, \"p50\": %lld, \"p95\": %lld, \"max\": %lld}", name,
                  mean(), static_cast<long long>(quantile(50)),
                  static_cast<long long>(quantile(95)), static_cast<long long>(quantile(100)));
    return text;
  }
};

// Peers are announced first, then nodes leave, then everything is searched for.
void measure(const Case& c) {
  const auto start = std::chrono::steady_clock::now();
  DhtNetParams params;
  params.nodes = static_cast<std::size_t>(c.nodes);
  params.lying_percent = c.lying;
  params.node.upkeep = false;
  params.node.peers.lifetime = std::chrono::hours(24);  // searches follow each other for hours
  DhtNet net(params);
  net.fill_tables();
  std::vector<std::pair<tributary::core::dht::NodeId, Endpoint>> announced;
  for (int i = 0; i < c.searches; ++i) {
    const HostId host = net.any_honest();
    announced.emplace_back(net.any_id(), net.endpoint(host));
    announced.back().second.port = kPeerPort;
    net.announce(host, announced.back().first, kPeerPort);
  }
  net.depart(c.gone);
  Series hops, chain, queries, took_ms;
  int found = 0;
  for (const auto& [hash, peer] : announced) {
    const DhtSearch search = net.search(net.any_honest(), hash, peer);
    found += search.found ? 1 : 0;
    if (search.found) hops.add(search.hops);
    chain.add(search.progress.hops);
    queries.add(static_cast<std::int64_t>(search.progress.asked));
    took_ms.add(search.took.count() / 1000);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  std::printf(
      "{\"nodes\": %d, \"gone\": %d, \"lying\": %d, \"searches\": %d, \"found\": %d, %s, %s, "
      "%s, %s, \"wall_s\": %.1f, \"peak_mib\": %ld}\n",
      c.nodes, c.gone, c.lying, c.searches, found, hops.json("hops").c_str(),
      chain.json("chain").c_str(), queries.json("queries").c_str(), took_ms.json("took_ms").c_str(),
      wall.count(), usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  Case c;
  int* const fields[] = {&c.nodes, &c.gone, &c.lying, &c.searches};
  for (int i = 0; i < 4 && i + 1 < argc; ++i) *fields[i] = std::atoi(argv[i + 1]);
  const bool percents = c.gone >= 0 && c.gone < 100 && c.lying >= 0 && c.lying < 100;
  if (argc != 5 || c.nodes < 10 || c.nodes > 1'000'000 || c.searches < 1 || !percents) {
    std::fprintf(stderr, "usage: dht_bench NODES GONE_PERCENT LYING_PERCENT SEARCHES\n");
    return 2;
  }
  measure(c);
  return 0;
}
