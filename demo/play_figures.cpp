#include "demo/play_figures.h"

namespace tributary::demo {
namespace {

SourceBytes bytes_of(const api::Ledger& ledger) {
  return {Bytes(ledger.cdn_bytes), Bytes(ledger.peers_bytes), Bytes(ledger.cache_bytes),
          Bytes(ledger.uploaded_bytes)};
}

PeerFigures figures_of(const api::Peer& peer) {
  return {peer.address,           peer.client,          peer.flags,
          BitRate(peer.down_bps), BitRate(peer.up_bps), Bytes(peer.received_bytes)};
}

EdgeFigures figures_of(const api::Edge& edge) {
  return {edge.origin,
          edge.state,
          edge.requests,
          edge.failures,
          edge.first_byte_ms * 1ms,
          BitRate(edge.rate_bps),
          edge.lies};
}

TrackFigures figures_of(const api::Entry& entry, const api::Ledger& ledger) {
  return {entry.title,  entry.started != 0,     entry.startup_ms * 1ms, entry.played_ms * 1ms,
          entry.stalls, entry.stalled_ms * 1ms, entry.gap_ms * 1ms,     bytes_of(ledger)};
}

}  // namespace

double SourceBytes::offload() const {
  return received() <= 0_B
             ? 0.0
             : static_cast<double>(peers.count()) / static_cast<double>(received().count());
}

PlaySnapshot figures_of(const api::Snapshot& snapshot) {
  const api::Status status = snapshot.status();
  PlaySnapshot s;
  s.state = status.state;
  s.track = status.track;
  s.tracks = status.track_count;
  s.title = status.title;
  s.position = status.position_ms * 1ms;
  s.duration = status.duration_ms * 1ms;
  s.buffered = status.buffered_ms * 1ms;
  s.bytes = bytes_of(snapshot.ledger());
  for (const api::Peer& peer : snapshot.peers()) s.peers.push_back(figures_of(peer));
  for (const api::Edge& edge : snapshot.edges()) s.edges.push_back(figures_of(edge));
  s.pieces = snapshot.pieces();
  s.playhead_piece = status.playhead_piece;
  s.next_title = status.next_title;
  s.prefetch = status.prefetch;
  s.next_have = Bytes(status.next_have_bytes);
  s.next_size = Bytes(status.next_length_bytes);
  s.stalls = status.stalls;
  s.startup = status.startup_ms * 1ms;
  s.emergency = status.emergency != 0;
  s.message = status.message;
  s.policy = status.policy;
  return s;
}

PlayFigures figures_of(const api::Report& report) {
  PlayFigures session;
  session.total = figures_of(report.total(), report.total_ledger());
  for (std::size_t i = 0; const auto entry = report.track(i); ++i) {
    session.tracks.push_back(figures_of(*entry, report.track_ledger(i).value_or(api::Ledger{})));
  }
  return session;
}

}  // namespace tributary::demo
