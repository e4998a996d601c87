#include "tests/scenario/cast/overlays.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "engine/wire/peer_codec.h"

namespace tributary::sim {
namespace {

constexpr Duration kNeverAnswers = std::chrono::hours(24);

Bytes wire_size(const core::Message& message) {
  wire::OctetBuffer out;
  TRIBUTARY_CHECK(wire::encode_message(message, wire::kOurExtensionIds, out));
  return Bytes(std::ssize(out));
}

// Sees what reaches the nodes, and notes what comes of the second track before its tracker answers.
class Observer {
 public:
  Observer(const World& world, core::TorrentId second, OverlayReport& report)
      : world_(world), second_(second), report_(report) {}

  void note(HostId host, const core::Input& input) {
    if (const auto* reply = std::get_if<core::AnnounceReply>(&input)) {
      if (reply->torrent == second_) told_.insert(host);
    } else if (const auto* failed = std::get_if<core::AnnounceFailed>(&input)) {
      if (failed->torrent == second_) told_.insert(host);
    } else if (const auto* connected = std::get_if<core::PeerConnected>(&input)) {
      if (found(host, connected->torrent, connected->conn)) had_peer_.insert(host);
    } else if (const auto* said = std::get_if<core::PeerMessage>(&input)) {
      note(host, *said);
    }
    report_.had_peer = static_cast<int>(had_peer_.size());
    report_.had_block = static_cast<int>(had_block_.size());
  }

 private:
  void note(HostId host, const core::PeerMessage& said) {
    const auto* query = std::get_if<core::OverlayQuery>(&said.message);
    if (query || std::holds_alternative<core::OverlayAnswer>(said.message)) {
      report_.bytes += wire_size(said.message);
      ++(query ? report_.queries : report_.answers);
      if (query) report_.most_queries = std::max(report_.most_queries, ++of_query_[query->id]);
    } else if (std::holds_alternative<core::Piece>(said.message)) {
      if (found(host, said.torrent, said.conn)) had_block_.insert(host);
    }
  }
  // Whether the overlay named this peer of the second track, and no tracker spoke yet.
  bool found(HostId host, core::TorrentId torrent, core::ConnId conn) const {
    if (torrent != second_ || told_.contains(host)) return false;
    const core::Swarm* swarm = world_.node(host).swarm(torrent);
    if (swarm == nullptr) return false;
    for (const core::PeerView& peer : swarm->peers()) {
      if (peer.conn == conn) return peer.flags.find('Q') != std::string::npos;
    }
    return false;
  }

  const World& world_;
  core::TorrentId second_;
  OverlayReport& report_;
  std::set<HostId> told_;  // by a tracker, of the second track
  std::set<HostId> had_peer_;
  std::set<HostId> had_block_;
  std::map<core::QueryId, std::int64_t> of_query_;
};

void add(core::OverlayCounts& sum, const core::OverlayCounts& counts) {
  sum.asked += counts.asked;
  sum.forwarded += counts.forwarded;
  sum.duplicates += counts.duplicates;
  sum.refused += counts.refused;
  sum.unasked += counts.unasked;
  sum.late += counts.late;
  sum.found += counts.found;
}

double per(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string OverlayReport::line() const {
  const std::int64_t asked = counts.asked;
  char text[320];
  std::snprintf(text, sizeof text,
                "; %d prefetches, before a tracker answered %d had a peer and %d a block of the "
                "overlay; %lld queries, each %.1f messages and %.2f kB, at most %lld; %.0f %% "
                "duplicates",
                prefetches, had_peer, had_block, static_cast<long long>(asked),
                per(queries + answers, asked), per(bytes.count(), asked) / 1000,
                static_cast<long long>(most_queries), 100 * per(counts.duplicates, queries));
  return all.line() + text;
}

OverlayReport listeners_of_two(const std::string& name, const OverlayPlan& plan) {
  Variation variation;
  variation.seed = plan.seed;
  Stage stage(variation);
  TrackParams track = music_track();
  track.duration = 60s;
  track.is_private = plan.first_private;
  const core::TorrentId first = stage.world.add_track(track);
  track.name = "second";
  track.is_private = plan.second_private;
  const core::TorrentId second = stage.world.add_track(track);
  stage.world.tracker().set_delay(second, plan.tracker_delay);
  OverlayReport report;
  Observer observer(stage.world, second, report);
  stage.world.on_input = [&](HostId host, const core::Input& input) { observer.note(host, input); };
  for (int i = 0; i < plan.listeners; ++i) {
    HostParams listener = stage.client();
    listener.overlay = plan.overlay;
    const HostId host = stage.world.add_node(listener);
    stage.world.listen_at(TimePoint(1s + plan.every * i), host, {first, second});
  }
  stage.world.run_until_done(TimePoint(1000s));
  for (const HostId host : stage.world.nodes()) {
    add(report.counts, stage.world.node(host).overlay().counts());
    const Listener* listener = stage.world.find_listener(host);
    report.prefetches += listener != nullptr && listener->plays().size() == 2 ? 1 : 0;
  }
  report.all = make_report(name, stage.world);
  report.digest = report.all.digest;
  return report;
}

const std::vector<NamedOverlay>& all_overlays() {
  static const std::vector<NamedOverlay> kAll = {
      {"overlay_late", {}},
      {"overlay_never", {.tracker_delay = kNeverAnswers}},
      {"overlay_off", {.overlay = false, .tracker_delay = kNeverAnswers}},
      {"overlay_crowd", {.listeners = 50, .every = 200ms}}};
  return kAll;
}

}  // namespace tributary::sim
