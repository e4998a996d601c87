// What a session shows: snapshots for a screen, and the report.
#include <algorithm>
#include <set>

#include "engine/net/address.h"
#include "player/client/session.h"

namespace tributary::player {
namespace {

// A tracker's answer, a dial and a handshake, or the first answer of a distant server.
constexpr Duration kPatience = 1s;

Bytes bytes_of(const core::Layout& layout, core::BlockRange blocks, const Bitfield& in) {
  Bytes sum;
  for (int b = in.find_next(blocks.begin.value()); b != Bitfield::kNone && b < blocks.end.value();
       b = in.find_next(b + 1)) {
    sum += layout.block_range(core::BlockIndex(b)).size();
  }
  return sum;
}

}  // namespace

std::vector<CellState> Session::piece_map(std::size_t cells) const {
  const core::Swarm* swarm =
      torrent(current_) ? host_.node().swarm(torrent(current_)->id) : nullptr;
  if (!swarm || cells == 0) return {};
  const auto file = static_cast<std::size_t>(items_[current_].file.value());
  const ByteRange range = swarm->metainfo().info.files[file].range();
  return piece_cells(*swarm, swarm->layout().blocks_covering(range), cells);
}

ClientSnapshot Session::snapshot(std::size_t cells) {
  ClientSnapshot s;
  s.state = state_;
  s.track = current_;
  s.tracks = items_.size();
  s.message = message_;
  if (items_.empty()) return s;
  s.title = items_[current_].title;
  s.position = position_;
  s.duration = duration_of(current_);
  const TimePoint now = loop_.now();
  s.stalls = meter_.session(metered(now)).stalls;
  s.startup = meter_.startup().value_or(Duration::zero());
  s.buffered = host_.node().buffered(now);
  s.prefetch = host_.node().prefetch_stage();
  const Report session = report();
  s.bytes = session.total.bytes;
  if (torrent(current_)) {
    const core::TorrentId id = torrent(current_)->id;
    if (const core::Swarm* swarm = host_.node().swarm(id)) {
      s.peer_list = swarm->peers();
      s.peers = s.peer_list.size();
      s.emergency = swarm->emergency();
    }
    s.edges = host_.node().edges().stats(id, now);
    s.pieces = piece_map(cells);
    if (s.duration > Duration::zero() && !s.pieces.empty()) {
      const core::Swarm* swarm = host_.node().swarm(id);
      const core::ByteTimeMap& timeline = swarm->timeline(items_[current_].file);
      s.playhead_cell = std::min(
          s.pieces.size() - 1,
          static_cast<std::size_t>(mul_div(timeline.offset_at(position_).count(),
                                           static_cast<std::int64_t>(s.pieces.size()),
                                           std::max<std::int64_t>(1, timeline.size().count()))));
    }
  }
  if (s.message.empty()) s.message = why_it_waits(s);
  if (current_ + 1 < items_.size()) {
    const std::size_t next = current_ + 1;
    s.next_title = items_[next].title;
    const auto file = static_cast<std::size_t>(items_[next].file.value());
    s.next_size = items_[next].metainfo->info.files[file].length;
    if (torrent(next)) {
      if (const core::Swarm* swarm = host_.node().swarm(torrent(next)->id)) {
        s.next_have = s.next_size - swarm->missing(items_[next].file, {0_B, s.next_size});
      }
    }
  }
  return s;
}

// What the listener can do something about: no source is left. Empty when there is one, and in the
// first instants, when none was asked yet.
std::string Session::why_it_waits(const ClientSnapshot& s) const {
  const bool waits = state_ == PlayState::kStarting || state_ == PlayState::kStalled;
  if (!waits || s.peers > 0 || loop_.now() - told_at_ < kPatience) return {};
  const bool asks_edges = host_.policy().use_cdn && !s.edges.empty();
  if (!asks_edges) return "no peer is connected; waiting for one";
  std::string troubles;
  for (const cdn::EdgeStats& edge : s.edges) {
    if (edge.trouble.empty()) return {};
    troubles += (troubles.empty() ? "" : ", ") + edge.origin + " " + edge.trouble;
  }
  return troubles + ", and no peer is connected; trying again";
}

ReportEntry Session::entry_of(std::size_t item, const Played& played) const {
  ReportEntry entry;
  entry.title = items_[item].title;
  entry.startup = played.figures.startup;
  entry.started = played.figures.started > 0;
  entry.played = played.figures.played;
  entry.stalls = played.figures.stalls;
  entry.stalled = played.figures.stalled;
  entry.gap = played.gap;
  if (!torrent(item)) return entry;
  const core::Swarm* swarm = host_.node().swarm(torrent(item)->id);
  if (!swarm) return entry;
  entry.bytes = swarm->ledger().at(items_[item].file);
  const auto file = static_cast<std::size_t>(items_[item].file.value());
  const core::BlockRange blocks =
      swarm->layout().blocks_covering(swarm->metainfo().info.files[file].range());
  entry.played_bytes = bytes_of(swarm->layout(), blocks, progress_[item].state->read_blocks());
  entry.unused = entry.bytes.cache + entry.bytes.good - entry.played_bytes;
  return entry;
}

std::vector<ReportPeer> Session::report_peers() const {
  std::vector<ReportPeer> peers;
  std::set<core::TorrentId> seen;  // an album's tracks share theirs
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!torrent(i) || !seen.insert(torrent(i)->id).second) continue;
    const core::Swarm* swarm = host_.node().swarm(torrent(i)->id);
    if (!swarm) continue;
    for (const core::PeerView& p : swarm->peers()) {
      peers.push_back({net::format_endpoint(p.remote), p.client, p.flags, p.received, p.sent});
    }
  }
  return peers;
}

Report Session::report() {
  Report report;
  report.policy = std::string(host_.policy().name);
  report.unchoker = std::string(core::to_string(host_.policy().unchoker));
  report.peers = report_peers();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Played played = progress_[i].played;
    if (i == current_ && !ended_) {
      played.figures += present_figures(pipeline_->position().heard);
      played.gap += gap_;
    }
    const ReportEntry entry = entry_of(i, played);
    ReportEntry& total = report.total;
    total.startup += entry.startup;
    total.started |= entry.started;
    total.played += entry.played;
    total.stalls += entry.stalls;
    total.stalled += entry.stalled;
    total.gap += entry.gap;
    total.bytes += entry.bytes;
    total.played_bytes += entry.played_bytes;
    total.unused += entry.unused;
    report.tracks.push_back(entry);
  }
  report.total.title = "total";
  return report;
}

}  // namespace tributary::player
