#include "player/node/node_overlay.h"

#include <utility>

namespace tributary::player {
namespace {

// Keeps the overlay's draws apart: what it is asked must not move what the node does.
constexpr std::uint64_t kSeed = 0x6f7665726c6179;

}  // namespace

NodeOverlay::NodeOverlay(SwarmSet& swarms, std::uint64_t seed)
    : swarms_(swarms), overlay_(*this, Random(Random::mix(seed ^ kSeed))) {}

bool NodeOverlay::handle(const core::Input& input, TimePoint now) {
  if (const auto* closed = std::get_if<core::PeerClosed>(&input)) overlay_.on_closed(closed->conn);
  const auto* said = std::get_if<core::PeerMessage>(&input);
  if (!said) return false;
  const auto* query = std::get_if<core::OverlayQuery>(&said->message);
  const auto* answer = std::get_if<core::OverlayAnswer>(&said->message);
  if (!query && !answer) return false;
  const core::Swarm* swarm = swarms_.find(said->torrent);
  const auto link = swarm ? swarm->overlay_link(said->conn) : std::nullopt;
  if (link && query) overlay_.on_query(*link, *query, now);
  if (link && answer) overlay_.on_answer(*link, *answer, now);
  return true;
}

void NodeOverlay::settle(const std::optional<TrackRef>& sought, TimePoint now) {
  std::optional<core::Overlay::Wanted> wanted;
  const core::Swarm* lacking = sought ? swarms_.find(sought->torrent) : nullptr;
  if (lacking && lacking->in_overlay() && lacking->peer_count() < core::kOverlayEnough &&
      !lacking->file_complete(sought->file)) {
    wanted = {sought->torrent, lacking->metainfo().info.info_hashes().front()};
  }
  overlay_.want(wanted, now);
  while (auto action = overlay_.poll()) {
    if (auto* send = std::get_if<core::Send>(&*action)) {
      core::Swarm* swarm = swarms_.change(send->torrent);
      if (swarm) swarm->send_overlay(send->conn, std::move(send->message), now);
    } else if (auto* found = std::get_if<core::PeersFound>(&*action)) {
      core::Swarm* swarm = swarms_.change(found->torrent);
      if (swarm) swarm->handle(*found, now);
    } else {
      const auto& offence = std::get<core::OverlayOffence>(*action);
      core::Swarm* swarm = swarms_.change(offence.torrent);
      if (swarm) swarm->note_overlay_offence(offence.conn, now);
    }
  }
}

std::vector<core::OverlayLink> NodeOverlay::links() const {
  std::vector<core::OverlayLink> all;
  for (const SwarmSet::Entry& entry : swarms_) {
    for (const core::OverlayLink& link : entry.swarm->overlay_links()) all.push_back(link);
  }
  return all;
}

core::OverlaySources NodeOverlay::sources(const InfoHash& sought,
                                          const core::OverlayLink& asker) const {
  for (const SwarmSet::Entry& entry : swarms_) {
    if (entry.swarm->metainfo().info.is_called(sought)) return entry.swarm->overlay_sources(asker);
  }
  return {};
}

}  // namespace tributary::player
