#include "engine/core/overlay.h"

#include <algorithm>
#include <utility>

#include "engine/base/contains.h"
#include "engine/core/peer_address.h"

namespace tributary::core {
namespace {

// Of one query over one connection: the peer's own, and those that it passes back.
std::size_t answers_to(std::uint8_t hops) { return hops > 1 ? 1 + kMaxOverlayForwards : 1; }

}  // namespace

void Overlay::want(const std::optional<Wanted>& wanted, TimePoint now) {
  wanted_ = wanted;
  if (!wanted_) return;
  if (std::exchange(looked_for_, wanted_->torrent) != wanted_->torrent) ask_at_ = now;
  if (now >= ask_at_) ask(now);
}

void Overlay::ask(TimePoint now) {
  Query query;
  query.torrent = wanted_->torrent;
  query.at = now;
  const OverlayQuery message{QueryId(random_.next()), wanted_->info_hash, kOverlayHops};
  spread(query, message, wanted_->torrent, kMaxOverlayAsked, now);
  ask_at_ = now + (query.asked.empty() ? kOverlayLookAgain : kOverlayAskAgain);
  if (query.asked.empty()) return;
  ++counts_.asked;
  remember(message.id, std::move(query));
}

Overlay::Query& Overlay::remember(QueryId id, Query query) {
  Fifo<QueryId>& ids = query.from ? books_[query.from->conn].queries : own_;
  if (ids.size() == kRememberedQueries) {
    queries_.erase(ids.front());
    ids.pop_front();
  }
  ids.push_back(id);
  return queries_.insert_or_assign(id, std::move(query)).first->second;
}

void Overlay::spread(Query& query, OverlayQuery message, std::optional<TorrentId> sought,
                     std::size_t most, TimePoint now) {
  std::vector<OverlayLink> links = view_.links();
  std::vector<PeerId> done;  // a client may be connected to us in several swarms
  if (query.from) done.push_back(query.from->peer);
  for (std::size_t i = 0; i < links.size() && query.asked.size() < most; ++i) {
    std::swap(links[i], links[i + random_.below(links.size() - i)]);
    const OverlayLink& link = links[i];
    // Who is in that swarm is named already, by us or by his own.
    if (link.torrent == sought || contains(done, link.peer)) continue;
    if (!books_[link.conn].of_us.allow(kOverlayPace, now)) continue;
    done.push_back(link.peer);
    query.asked.push_back({link.conn, answers_to(message.hops)});
    send(link, message);
  }
}

void Overlay::on_query(const OverlayLink& from, const OverlayQuery& query, TimePoint now) {
  if (!books_[from.conn].of_it.allow(kOverlayPeerPace, now)) {
    ++counts_.refused;
    return offend(from);
  }
  if (queries_.contains(query.id)) return static_cast<void>(++counts_.duplicates);
  Query heard;
  heard.from = from;
  heard.at = now;
  Query& kept = remember(query.id, std::move(heard));
  const OverlaySources known = view_.sources(query.sought, from);
  if (known.secret) return;
  pass(query.id, kept, known.self, known.peers);
  const std::size_t told = known.peers.size() + (known.self ? 1 : 0);
  if (query.hops < 2 || told >= kOverlayEnough) return;
  OverlayQuery on = query;
  --on.hops;
  spread(kept, on, known.torrent, kMaxOverlayForwards, now);
  counts_.forwarded += std::ssize(kept.asked);
}

void Overlay::on_answer(const OverlayLink& from, const OverlayAnswer& answer, TimePoint now) {
  const auto query = queries_.find(answer.id);
  Asked* asked = nullptr;
  if (query != queries_.end()) {
    for (Asked& each : query->second.asked) {
      if (each.conn == from.conn) asked = &each;
    }
  }
  if (!asked || asked->answers_left == 0) {
    ++(asked ? counts_.refused : counts_.unasked);
    return offend(from);
  }
  --asked->answers_left;
  if (now - query->second.at > kOverlayAnswerTime) return static_cast<void>(++counts_.late);
  std::vector<Endpoint> named;
  if (answer.self && from.listening) named.push_back(*from.listening);
  for (const Endpoint& peer : answer.peers) {
    if (named.size() == kMaxOverlayPeers) break;
    if (is_dialable(peer) && may_share(from.remote, peer)) named.push_back(peer);
  }
  pass(answer.id, query->second, false, named);
}

void Overlay::pass(QueryId id, Query& query, bool self, const std::vector<Endpoint>& peers) {
  std::vector<Endpoint> fresh;
  for (const Endpoint& peer : peers) {
    if (query.passed.size() == kMaxOverlayFound) break;
    if (contains(query.passed, peer)) continue;
    if (query.from && (!may_share(query.from->remote, peer) || query.from->listening == peer)) {
      continue;
    }
    query.passed.push_back(peer);
    fresh.push_back(peer);
  }
  if (fresh.empty() && !self) return;
  if (query.from) return send(*query.from, OverlayAnswer{id, self, std::move(fresh)});
  counts_.found += std::ssize(fresh);
  out_.emplace_back(PeersFound{query.torrent, PeerSource::kOverlay, std::move(fresh)});
}

void Overlay::send(const OverlayLink& to, Message message) {
  out_.emplace_back(Send{to.torrent, to.conn, std::move(message)});
}

void Overlay::offend(const OverlayLink& by) {
  out_.emplace_back(OverlayOffence{by.torrent, by.conn});
}

void Overlay::on_closed(ConnId conn) {
  const auto book = books_.find(conn);
  if (book == books_.end()) return;
  for (QueryId id : book->second.queries) queries_.erase(id);
  books_.erase(conn);
}

std::optional<OverlayAction> Overlay::poll() {
  if (out_.empty()) return std::nullopt;
  return out_.take_front();
}

}  // namespace tributary::core
