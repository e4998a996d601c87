#include "player/node/swarm_set.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/check.h"

namespace tributary::player {

bool SwarmSet::add(core::TorrentId id, std::unique_ptr<core::Swarm> swarm) {
  if (!entries_.emplace(id, Entry{std::move(swarm), kNever}).second) return false;
  change(id);
  return true;
}

void SwarmSet::remove(core::TorrentId id) {
  entries_.erase(id);
  std::erase(changed_, id);
}

const core::Swarm* SwarmSet::find(core::TorrentId id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : it->second.swarm.get();
}

core::Swarm* SwarmSet::change(core::TorrentId id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return nullptr;
  const auto place = std::lower_bound(changed_.begin(), changed_.end(), id, std::greater());
  if (place == changed_.end() || *place != id) changed_.insert(place, id);
  return it->second.swarm.get();
}

bool SwarmSet::changed(core::TorrentId id) const {
  return std::binary_search(changed_.begin(), changed_.end(), id, std::greater());
}

void SwarmSet::tick(TimePoint now) {
  for (const auto& [id, entry] : entries_) {
    if (entry.deadline <= now) change(id)->tick(now);
  }
}

std::optional<core::Action> SwarmSet::poll() {
  while (!changed_.empty()) {
    Entry& entry = entries_.at(changed_.back());
    if (auto action = entry.swarm->poll()) return action;
    entry.deadline = entry.swarm->next_deadline();
    changed_.pop_back();
  }
  return std::nullopt;
}

TimePoint SwarmSet::next_deadline() const {
  TRIBUTARY_DCHECK(changed_.empty());
  TimePoint next = kNever;
  for (const auto& [id, entry] : entries_) next = std::min(next, entry.deadline);
  return next;
}

}  // namespace tributary::player
