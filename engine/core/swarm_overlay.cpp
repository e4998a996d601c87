// A swarm's part in the overlay; what is asked of whom is Overlay's.
#include "engine/core/peer_address.h"
#include "engine/core/swarm.h"

namespace tributary::core {
namespace {

OverlayLink link_of(TorrentId torrent, const Peer& peer) {
  return {torrent, peer.conn, peer.peer_id, peer.remote, peer.listening};
}

}  // namespace

std::vector<OverlayLink> Swarm::overlay_links() const {
  std::vector<OverlayLink> links;
  if (!in_overlay()) return links;
  for (const auto& [conn, peer] : s_.peers) {
    if (peer.overlay && !peer.useless) links.push_back(link_of(s_.params.id, peer));
  }
  return links;
}

std::optional<OverlayLink> Swarm::overlay_link(ConnId conn) const {
  const auto it = s_.peers.find(conn);
  if (!in_overlay() || it == s_.peers.end() || !it->second.overlay) return std::nullopt;
  return link_of(s_.params.id, it->second);
}

// Whom we name is whom peer exchange would name: see PeerExchanger::tell(). Those that have nothing
// are left out, but who is about to have some counts himself in.
OverlaySources Swarm::overlay_sources(const OverlayLink& asker) const {
  OverlaySources out;
  out.torrent = s_.params.id;
  out.secret = s_.meta.info.is_private;
  if (!in_overlay()) return out;
  const bool has_some = !s_.pieces.have_pieces().none() || s_.active();
  out.self = has_some && s_.params.upload && s_.port_for(asker.remote) != 0;
  for (const auto& [conn, peer] : s_.peers) {
    if (out.peers.size() == kMaxOverlayPeers) break;
    if (!peer.listening || peer.listening == asker.listening || peer.has.none()) continue;
    if (may_share(asker.remote, *peer.listening)) out.peers.push_back(*peer.listening);
  }
  return out;
}

void Swarm::send_overlay(ConnId conn, Message message, TimePoint now) {
  s_.now = now;
  if (Peer* peer = s_.peer(conn)) s_.send(*peer, std::move(message));
}

void Swarm::note_overlay_offence(ConnId conn, TimePoint now) {
  s_.now = now;
  Peer* peer = s_.peer(conn);
  if (peer && ++peer->offences > kMaxOffences) s_.disconnect(*peer, "too many protocol offences");
}

}  // namespace tributary::core
