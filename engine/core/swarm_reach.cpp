// How a swarm reaches others: its dials, and the address at which others see it.
#include <algorithm>
#include <utility>

#include "engine/core/swarm.h"

namespace tributary::core {

void Swarm::dial(const Endpoint& remote, bool punches) {
  const ConnId conn(std::uint64_t{s_.params.id.value()} << 40 | ++next_conn_);
  dials_[conn] = {remote, s_.now, punches};
  if (s_.punches_holes() && !punches) {
    unanswered_at_ = std::min(unanswered_at_, s_.now + kPunchAfter);
  }
  const InfoHash hash = s_.meta.info.info_hashes().front();
  const bool gives_way = s_.demands.empty();
  s_.out.emplace_back(Connect{s_.params.id, conn, remote, handshake(hash), gives_way,
                              book_.hints_of(remote), punches});
}

// It is dialled another way now.
void Swarm::abandon_dial(const Endpoint& remote) {
  const auto it = std::find_if(dials_.begin(), dials_.end(),
                               [&](const auto& dial) { return dial.second.remote == remote; });
  if (it == dials_.end()) return;
  s_.out.emplace_back(Disconnect{s_.params.id, it->first, "dialled by another way"});
  dials_.erase(it);
  book_.on_failed(remote, s_.now);
}

// Who goes over to another tracker of a private torrent leaves all peers but that one's (BEP 27),
// and but the user's own.
void Swarm::leave_former_tracker(const AnnounceReply& e) {
  const std::string former = std::exchange(named_by_, e.tracker);
  if (former.empty() || former == e.tracker) return;
  book_.forget_all_but(e.peers);
  const std::string reason = "the torrent has another tracker now";
  for (const auto& [conn, peer] : s_.peers) {
    if (!book_.keeps(peer.remote)) s_.disconnect(peer, reason);
  }
  std::erase_if(dials_, [&](const auto& dial) {
    const auto& [conn, to] = dial;
    if (book_.keeps(to.remote)) return false;
    s_.out.emplace_back(Disconnect{s_.params.id, conn, reason});
    book_.on_failed(to.remote, s_.now);
    return true;
  });
}

// Who has not answered for a while may be behind a router.
void Swarm::watch_dials() {
  unanswered_at_ = kNever;
  for (auto& [conn, dial] : dials_) {
    if (dial.punches || dial.unanswered) continue;
    if (s_.now - dial.at < kPunchAfter) {
      unanswered_at_ = std::min(unanswered_at_, dial.at + kPunchAfter);
      continue;
    }
    dial.unanswered = true;
    puncher_.on_unreachable(dial.remote);
  }
}

// Somebody new may know who does not answer.
void Swarm::reconsider_dials() {
  for (auto& [conn, dial] : dials_) {
    if (std::exchange(dial.unanswered, false)) unanswered_at_ = s_.now;
  }
}

// Both ends dial, and either connection may be the one that is left.
bool Swarm::is_punched(const PeerConnected& e) const {
  return std::any_of(dials_.begin(), dials_.end(),
                     [&](const auto& dial) {
                       return dial.second.punches && dial.second.remote == e.remote;
                     }) ||
         std::any_of(s_.peers.begin(), s_.peers.end(), [&](const auto& peer) {
           return peer.second.punched && peer.second.peer_id == e.handshake.peer_id;
         });
}

// What most say counts: each network's peers together, and all trackers together.
void Swarm::note_own_address(const std::optional<Endpoint>& peer, const Endpoint& seen) {
  if (!s_.params.rank_addresses || s_.params.own_address) return;
  const bool is_new = peer ? own_address_.vote(*peer, seen) : own_address_.vote_of_trackers(seen);
  if (is_new) apply_own_address();
}

void Swarm::set_listen_port(std::uint16_t port) {
  s_.listen_port = port;
  if (own_address_.address()) apply_own_address();
}

// Where others find us, so that we do not dial ourselves when we hear of it.
void Swarm::apply_own_address() {
  Endpoint own = *own_address_.address();
  own.port = s_.listen_port;
  locality_.set_own(own);
  book_.rank_by(locality_);
  if (own.port != 0) book_.add_own(own);
}

}  // namespace tributary::core
