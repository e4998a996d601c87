#include "player/gateway/metrics.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

TEST_CASE("a family is its help, its type and its samples") {
  MetricsText out;
  out.counter("a_total", "What \\ is\ncounted.");
  out.sample(3);
  out.gauge("b", "Now.");
  out.sample(-1, {{"edge", "http://x\"\\\n"}, {"k", "v"}});
  CHECK(out.text() ==
        "# HELP a_total What \\\\ is\\ncounted.\n# TYPE a_total counter\na_total 3\n"
        "# HELP b Now.\n# TYPE b gauge\nb{edge=\"http://x\\\"\\\\\\n\",k=\"v\"} -1\n");
}

TEST_CASE("all torrents are counted together, and an edge that they share once") {
  EngineView engine;
  for (int i = 0; i < 2; ++i) {
    TorrentView torrent;
    torrent.bytes.cdn_by_reason[core::CdnReason::kStartup] = 10_B;
    torrent.bytes.peers = 7_B;
    torrent.peers.resize(2);
    torrent.peers[0].flags = "D";
    cdn::EdgeStats edge;
    edge.origin = "http://cdn";
    edge.requests = 5;
    torrent.edges.push_back(edge);
    torrent.readers.emplace_back();
    torrent.readers.back().waits = i == 0;
    engine.torrents.push_back(torrent);
  }
  GatewayCounters gateway;
  gateway.requests = {{200, 4}, {404, 1}};
  const std::string text = metrics_text(engine, gateway);
  for (const char* line : {"\ntributary_cdn_bytes_total{reason=\"startup\"} 20\n",
                           "\ntributary_peer_received_bytes_total 14\n", "\ntributary_peers 4\n",
                           "\ntributary_peers_unchoking 2\n", "\ntributary_readers 2\n",
                           "\ntributary_readers_waiting 1\n",
                           "\ntributary_edge_requests_total{edge=\"http://cdn\"} 5\n",
                           "\ntributary_gateway_requests_total{code=\"404\"} 1\n"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

}  // namespace
}  // namespace tributary::player
