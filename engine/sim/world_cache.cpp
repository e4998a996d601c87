// What a host keeps, offers and lets go of, beside what it plays.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/contains.h"
#include "engine/sim/world.h"

namespace tributary::sim {

void World::give(HostId host, core::TorrentId torrent) {
  Actor& a = actor(host);
  TRIBUTARY_CHECK(!a.store.has(torrent));
  a.store.add(torrent, track(torrent), true);
  a.cached.push_back(torrent);
}

void World::inherit(HostId host, HostId from) {
  Actor& a = actor(host);
  Actor& former = actor(from);
  TRIBUTARY_CHECK(!former.online && a.cached.empty());
  a.store = std::exchange(former.store, {});
  a.cached = std::exchange(former.cached, {});
  for (core::TorrentId torrent : a.cached) a.store.settle(torrent);
}

void World::share_cache(HostId host) {
  Actor& a = actor(host);
  const auto most = static_cast<std::size_t>(a.params.shares.value_or(0));
  const std::size_t count = std::min(a.cached.size(), most);
  for (std::size_t i = a.cached.size() - count; i < a.cached.size(); ++i) {
    open(a, a.cached[i]);
    a.node->share(a.cached[i], true, now());
  }
  pump(a);
}

void World::offer(HostId host, core::TorrentId torrent, const Bitfield& blocks) {
  Actor& a = actor(host);
  if (!a.online) return;
  open(a, torrent);
  for (int b = blocks.find_next(0); b != Bitfield::kNone; b = blocks.find_next(b + 1)) {
    a.store.put(torrent, core::BlockIndex(b), Origin::kCache, false);
  }
  a.node->share(torrent, true, now());
  feed(a, core::Restored{torrent, blocks});
}

void World::introduce(HostId host, core::TorrentId torrent, HostId peer) {
  Actor& a = actor(host);
  if (!a.online) return;
  open(a, torrent);
  a.node->add_peer(torrent, address(peer), now());
  pump(a);
}

void World::play(HostId host, core::TorrentId torrent) {
  Actor& a = actor(host);
  if (!a.listener) return listen(host, {torrent});
  open(a, torrent);
  if (const auto current = a.listener->current()) a.store.settle(*current);
  a.listener->play(now(), torrent);
  pump(a);
}

void World::play_next(HostId host, core::TorrentId torrent) {
  Actor& a = actor(host);
  if (!a.listener) return listen(host, {torrent});
  open(a, torrent);
  a.listener->enqueue(now(), torrent);
  pump(a);
}

void World::open(Actor& a, core::TorrentId torrent) {
  std::erase(a.cached, torrent);
  a.cached.push_back(torrent);
  if (contains(a.opened, torrent)) return;
  const Track& t = track(torrent);
  if (!a.store.has(torrent)) a.store.add(torrent, t, false);
  a.opened.push_back(torrent);
  const Bitfield& blocks = a.store.blocks(torrent);
  a.node->open(torrent, t.metainfo(), blocks.none() ? Bitfield() : blocks, now());
}

void World::close(Actor& a, core::TorrentId torrent) {
  a.closed += a.node->swarm(torrent)->ledger().total();
  a.node->close(torrent, now());
  std::erase(a.opened, torrent);
  a.store.settle(torrent);
}

// Of one that has left.
void World::forget(Actor& a) {
  a.closed = ledger(a.id);
  a.opened.clear();
  a.node.reset();
  a.meter.freed_good += in_hand(a.id);
  a.buffers = {};
}

// What the listener may name next must be open by then; what he has left goes back to the cache.
void World::arrange_cache(Actor& a) {
  const auto current = a.listener->current();
  if (current) open(a, *current);
  if (const auto next = a.listener->next()) open(a, *next);
  const std::size_t plays = a.listener->plays().size();
  if (std::exchange(a.plays_seen, plays) == plays) return;
  if (plays > 1) a.store.settle(a.listener->plays()[plays - 2].torrent);
  if (a.params.shares) offer_surplus(a);
  evict(a);
}

// The last so many stay open, and are offered.
void World::offer_surplus(Actor& a) {
  std::int32_t left = *a.params.shares;
  const std::vector<core::TorrentId> cached = a.cached;
  for (auto torrent = cached.rbegin(); torrent != cached.rend(); ++torrent) {
    const bool plays = *torrent == a.listener->current() || *torrent == a.listener->next();
    if (plays || !contains(a.opened, *torrent)) continue;
    if (left-- > 0) {
      a.node->share(*torrent, true, now());
    } else {
      close(a, *torrent);
    }
  }
}

void World::evict(Actor& a) {
  Bytes kept;
  for (core::TorrentId torrent : a.cached) kept += a.store.size(torrent);
  while (kept > a.params.cache && !a.cached.empty() && !contains(a.opened, a.cached.front())) {
    kept -= a.store.size(a.cached.front());
    a.store.remove(a.cached.front());
    a.cached.erase(a.cached.begin());
  }
}

core::ByteCounts World::ledger(HostId host) const {
  const Actor& a = actor(host);
  core::ByteCounts sum = a.closed;
  for (core::TorrentId torrent : a.opened) sum += a.node->swarm(torrent)->ledger().total();
  return sum;
}

void World::note_received(core::TorrentId torrent, Origin origin, Bytes size) {
  received_[origin] += size;
  received_of_[torrent.value()][origin] += size;
}

}  // namespace tributary::sim
