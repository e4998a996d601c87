#include "player/gateway/metrics.h"

#include <algorithm>
#include <map>

namespace tributary::player {
namespace {

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += {'\\', c};
    } else {
      out += c;
    }
  }
  return out;
}

core::ByteCounts total_of(const EngineView& engine) {
  core::ByteCounts total;
  for (const TorrentView& torrent : engine.torrents) total += torrent.bytes;
  return total;
}

void add_bytes(MetricsText& out, const core::ByteCounts& total) {
  out.counter("tributary_cdn_bytes_total", "Bytes received from the CDN, by why they were asked.");
  for (const core::CdnReason reason : core::kCdnReasons) {
    out.sample(total.cdn_by_reason[reason].count(),
               {{"reason", std::string(core::to_string(reason))}});
  }
  out.counter("tributary_peer_received_bytes_total", "Bytes of blocks received from peers.");
  out.sample(total.peers.count());
  out.counter("tributary_peer_sent_bytes_total", "Bytes of blocks sent to peers.");
  out.sample(total.uploaded.count());
  out.counter("tributary_cache_bytes_total",
              "Bytes that were there when their torrent was opened.");
  out.sample(total.cache.count());
  out.counter("tributary_verified_bytes_total", "Bytes received and verified.");
  out.sample(total.good.count());
  out.counter("tributary_wasted_bytes_total", "Bytes received in vain, by why.");
  out.sample(total.duplicate.count(), {{"cause", "duplicate"}});
  out.sample(total.corrupt.count(), {{"cause", "corrupt"}});
}

void add_swarms(MetricsText& out, const EngineView& engine) {
  std::int64_t peers = 0;
  std::int64_t unchoked = 0;
  std::int64_t readers = 0;
  std::int64_t waiting = 0;
  std::int64_t emergencies = 0;
  for (const TorrentView& torrent : engine.torrents) {
    peers += std::ssize(torrent.peers);
    unchoked += std::count_if(torrent.peers.begin(), torrent.peers.end(), [](const auto& peer) {
      return peer.flags.find_first_of("DK") != std::string::npos;
    });
    readers += std::ssize(torrent.readers);
    waiting += std::count_if(torrent.readers.begin(), torrent.readers.end(),
                             [](const auto& reader) { return reader.waits; });
    emergencies += torrent.emergency ? 1 : 0;
  }
  out.gauge("tributary_torrents", "Open torrents.");
  out.sample(std::ssize(engine.torrents));
  out.gauge("tributary_peers", "Connected peers.");
  out.sample(peers);
  out.gauge("tributary_peers_unchoking", "Connected peers that may be asked for blocks.");
  out.sample(unchoked);
  out.gauge("tributary_readers", "Readers of files that are not wholly verified.");
  out.sample(readers);
  out.gauge("tributary_readers_waiting", "Readers that stand still for a byte.");
  out.sample(waiting);
  out.gauge("tributary_emergencies", "Torrents that upload nothing because a buffer runs dry.");
  out.sample(emergencies);
}

void add_edges(MetricsText& out, const EngineView& engine) {
  std::map<std::string, cdn::EdgeStats> edges;  // torrents share their servers
  for (const TorrentView& torrent : engine.torrents) {
    for (const cdn::EdgeStats& edge : torrent.edges) edges[edge.origin] = edge;
  }
  out.gauge("tributary_edge_up", "Whether the edge is used.");
  for (const auto& [origin, edge] : edges) {
    out.sample(edge.state == cdn::EdgeState::kUp ? 1 : 0, {{"edge", origin}});
  }
  out.counter("tributary_edge_requests_total", "HTTP requests to the edge.");
  for (const auto& [origin, edge] : edges) out.sample(edge.requests, {{"edge", origin}});
  out.counter("tributary_edge_failures_total", "Requests to the edge that failed.");
  for (const auto& [origin, edge] : edges) out.sample(edge.failures, {{"edge", origin}});
  out.counter("tributary_edge_received_bytes_total", "Bytes received from the edge.");
  for (const auto& [origin, edge] : edges) out.sample(edge.received.count(), {{"edge", origin}});
}

void add_store(MetricsText& out, const net::StoreStats& store) {
  out.gauge("tributary_store_memory_bytes", "Verified blocks in memory.");
  out.sample(store.in_memory.count());
  out.gauge("tributary_store_disk_bytes", "Verified blocks on disk.");
  out.sample(store.on_disk.count());
  out.gauge("tributary_store_disk_limit_bytes", "How much may be on disk.");
  out.sample(store.disk_limit.count());
  out.counter("tributary_store_lost_blocks_total", "Stored blocks that could not be kept or read.");
  out.sample(store.lost_blocks);
}

void add_gateway(MetricsText& out, const GatewayCounters& gateway) {
  out.counter("tributary_gateway_requests_total", "Requests to the gateway, by status.");
  for (const auto& [status, count] : gateway.requests) {
    out.sample(count, {{"code", std::to_string(status)}});
  }
  out.counter("tributary_gateway_sent_bytes_total", "Bytes of files that the gateway sent.");
  out.sample(gateway.sent.count());
  out.gauge("tributary_gateway_streams", "Files that the gateway is sending.");
  out.sample(gateway.streams);
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  text_ += "# HELP " + name_ + ' ' + escaped(help, false) + "\n# TYPE " + name_ + ' ';
  text_ += std::string(type) + '\n';
}

void MetricsText::sample(std::int64_t value, const Labels& labels) {
  text_ += name_;
  char before = '{';
  for (const auto& [name, text] : labels) {
    text_ += before;
    text_ += std::string(name) + "=\"" + escaped(text, true) + '"';
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ' + std::to_string(value) + '\n';
}

std::string metrics_text(const EngineView& engine, const GatewayCounters& gateway) {
  MetricsText out;
  add_bytes(out, total_of(engine));
  add_swarms(out, engine);
  add_edges(out, engine);
  add_store(out, engine.store);
  add_gateway(out, gateway);
  return out.text();
}

}  // namespace tributary::player
