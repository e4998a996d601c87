#include "engine/core/peer_exchanger.h"

#include <algorithm>
#include <utility>

#include "engine/base/contains.h"

namespace tributary::core {

void PeerExchanger::on_change() {
  if (s_.meta.info.is_private) return;
  next_ = std::min(next_, s_.now + kExchangeDelay);
}

bool PeerExchanger::on_message(Peer& from, const PeerExchange& message) {
  if (s_.meta.info.is_private) return false;
  TimePoint& next = from.introductions.edit().may_tell_us_at;
  if (s_.now < next) {
    ++from.offences;
    return false;
  }
  next = s_.now + kExchangeInterval - kExchangeSlack;
  std::vector<Endpoint> peers;
  std::vector<DialHints> hints;
  std::vector<bool> seeds;
  for (const PeerExchange::Added& peer : message.added) {
    if (peers.size() == kMaxExchanged) break;
    if (!may_share(from.remote, peer.endpoint)) continue;
    peers.push_back(peer.endpoint);
    // Holes are punched over uTP.
    hints.push_back({peer.utp || peer.hole_punch, peer.prefers_encryption});
    seeds.push_back(peer.seed);
  }
  if (book_.add(peers, PeerSource::kExchange) > 0) s_.discovery_over = false;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    book_.learn(peers[i], hints[i]);
    book_.hear_complete(peers[i], seeds[i]);
  }
  return true;
}

void PeerExchanger::on_time() {
  if (s_.now < next_) return;
  next_ = kNever;
  for (auto& [conn, peer] : s_.peers) {
    if (!peer.peer_exchange) continue;
    const TimePoint due = peer.introductions->may_tell_at;
    if (s_.now >= due) {
      tell(peer);
    } else {
      next_ = std::min(next_, due);
    }
  }
}

void PeerExchanger::tell(Peer& to) {
  PeerExchange message;
  std::vector<Endpoint> present;
  const auto& told = to.introductions->told;
  for (const auto& [conn, other] : s_.peers) {
    if (conn == to.conn || !other.listening || !may_share(to.remote, *other.listening)) continue;
    present.push_back(*other.listening);
    if (contains(told, *other.listening) || message.added.size() == kMaxExchanged) continue;
    message.added.push_back({.endpoint = *other.listening,
                             .seed = other.has.all(),
                             .prefers_encryption = other.encryption == Encryption::kStream,
                             .utp = other.utp || other.hole_punch,
                             .hole_punch = other.hole_punch});
  }
  for (const Endpoint& endpoint : told) {
    if (message.dropped.size() == kMaxExchanged) break;
    if (!contains(present, endpoint)) message.dropped.push_back(endpoint);
  }
  if (message.added.empty() && message.dropped.empty()) return;
  Introductions& now = to.introductions.edit();
  std::erase_if(now.told, [&](const Endpoint& e) { return contains(message.dropped, e); });
  for (const PeerExchange::Added& peer : message.added) now.told.push_back(peer.endpoint);
  now.may_tell_at = s_.now + kExchangeInterval;
  // What did not fit goes with the next.
  if (message.added.size() == kMaxExchanged) next_ = std::min(next_, now.may_tell_at);
  s_.send(to, std::move(message));
}

}  // namespace tributary::core
