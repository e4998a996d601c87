#include "engine/core/hole_puncher.h"

#include <algorithm>

#include "engine/base/contains.h"
#include "engine/core/peer_address.h"

namespace tributary::core {
namespace {

auto is_at(const Endpoint& endpoint) {
  return [&endpoint](const Introductions::Acquaintance& a) { return a.endpoint == endpoint; };
}

// Where the peer can be reached by uTP: its router lets in at that port what answers its uTP; of
// one who is here by TCP we know no more than where it listens.
std::optional<Endpoint> utp_address(const Peer& peer) {
  return peer.utp ? std::optional(peer.remote) : peer.listening;
}

}  // namespace

void HolePuncher::on_exchange(Peer& from, const PeerExchange& message) {
  if (!s_.punches_holes() || !from.hole_punch) return;
  auto& known = from.introductions.edit().acquaintances;
  // Who was asked for in vain stays, lest he be asked for again when he comes back.
  std::erase_if(known, [&](const Introductions::Acquaintance& a) {
    return !a.tried && contains(message.dropped, a.endpoint);
  });
  for (const PeerExchange::Added& peer : message.added) {
    if (!peer.hole_punch || !may_share(from.remote, peer.endpoint)) continue;
    if (std::any_of(known.begin(), known.end(), is_at(peer.endpoint))) continue;
    if (known.size() == kMaxAcquaintances) known.erase(known.begin());
    known.push_back({peer.endpoint});
  }
}

void HolePuncher::on_unreachable(const Endpoint& target) {
  if (!s_.punches_holes()) return;
  for (auto& [conn, relay] : s_.peers) {
    if (relay.introductions->acquaintances.empty()) continue;
    auto& known = relay.introductions.edit().acquaintances;
    const auto it = std::find_if(known.begin(), known.end(), is_at(target));
    if (it == known.end() || it->tried) continue;
    if (!our_asks_.allow(kOurAskPace, s_.now)) return;
    it->tried = true;
    return s_.send(relay, HolePunch{Kind::kRendezvous, target});
  }
}

void HolePuncher::on_message(Peer& from, const HolePunch& message) {
  // A private torrent's peer, say, was never told that we understand it.
  if (!s_.punches_holes()) return static_cast<void>(++from.offences);
  switch (message.kind) {
    case Kind::kRendezvous:
      return introduce(from, message.peer);
    case Kind::kConnect:
      return on_bid(from, message.peer);
    case Kind::kError:
      break;
  }
  // The next who knows it, if this one was asked at all.
  const auto& known = from.introductions->acquaintances;
  const auto asked = std::find_if(known.begin(), known.end(), is_at(message.peer));
  if (asked != known.end() && asked->tried) on_unreachable(message.peer);
}

std::optional<Endpoint> HolePuncher::next_dial() {
  if (bids_.empty()) return std::nullopt;
  const Endpoint next = bids_.front();
  bids_.pop_front();
  return next;
}

// --- For others

Peer* HolePuncher::find(const Endpoint& endpoint) {
  Peer* found = nullptr;
  for (auto& [conn, peer] : s_.peers) {
    if (peer.remote == endpoint) return &peer;
    if (peer.listening == endpoint && found == nullptr) found = &peer;
  }
  return found;
}

HolePuncher::Reason HolePuncher::objection(const Peer& from, const Peer* to,
                                           const Endpoint& target) const {
  if (!is_dialable(target)) return Reason::kNoSuchPeer;
  if (to == &from || book_.is_own(target)) return Reason::kNoSelf;
  if (to == nullptr) return Reason::kNotConnected;
  const auto here = utp_address(from);
  const auto there = utp_address(*to);
  if (!to->hole_punch || !here || !there) return Reason::kNoSupport;
  // Neither hears of a house that it is not in, or of addresses that it cannot dial.
  if (!may_share(from.remote, *there) || !may_share(to->remote, *here)) {
    return Reason::kNotConnected;
  }
  return here->is_v4() == there->is_v4() ? Reason::kNone : Reason::kNoSuchPeer;
}

void HolePuncher::introduce(Peer& from, const Endpoint& target) {
  if (!from.hole_punch || !from.introductions.edit().asks_us.allow(kAskPace, s_.now)) {
    return static_cast<void>(++from.offences);
  }
  Peer* to = find(target);
  const Reason reason = objection(from, to, target);
  if (reason != Reason::kNone) return s_.send(from, HolePunch{Kind::kError, target, reason});
  // Whom everybody asks for has dialled enough; who asks may ask somebody else.
  if (!to->introductions.edit().of_others.allow(kIntroductionPace, s_.now)) return;
  s_.send(*to, HolePunch{Kind::kConnect, *utp_address(from)});
  s_.send(from, HolePunch{Kind::kConnect, *utp_address(*to)});
}

// --- Bid by others

void HolePuncher::on_bid(Peer& from, const Endpoint& remote) {
  if (!is_dialable(remote) || !may_share(from.remote, remote)) {
    return static_cast<void>(++from.offences);
  }
  if (!from.introductions.edit().bids_us.allow(kBidPace, s_.now))
    return static_cast<void>(++from.offences);
  if (find(remote) != nullptr || bids_.size() == kMaxBids) return;
  if (all_bids_.allow(kAllBidsPace, s_.now)) bids_.push_back(remote);
}

}  // namespace tributary::core
