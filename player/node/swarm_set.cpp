#include "player/node/swarm_set.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/check.h"

namespace tributary::player {
namespace {

// Where it is, or would be.
template <typename Entries>
auto place_of(Entries& entries, core::TorrentId id) {
  return std::lower_bound(
      entries.begin(), entries.end(), id,
      [](const SwarmSet::Entry& entry, core::TorrentId i) { return entry.id < i; });
}

template <typename Entries>
auto* entry_of(Entries& entries, core::TorrentId id) {
  const auto at = place_of(entries, id);
  return at == entries.end() || at->id != id ? nullptr : &*at;
}

}  // namespace

bool SwarmSet::add(core::TorrentId id, std::unique_ptr<core::Swarm> swarm) {
  const auto place = place_of(entries_, id);
  if (place != entries_.end() && place->id == id) return false;
  entries_.insert(place, Entry{id, std::move(swarm), kNever});
  change(id);
  return true;
}

void SwarmSet::remove(core::TorrentId id) {
  std::erase_if(entries_, [id](const Entry& e) { return e.id == id; });
  std::erase(changed_, id);
}

const core::Swarm* SwarmSet::find(core::TorrentId id) const {
  const Entry* found = entry_of(entries_, id);
  return found ? found->swarm.get() : nullptr;
}

core::Swarm* SwarmSet::change(core::TorrentId id) {
  Entry* found = entry_of(entries_, id);
  if (!found) return nullptr;
  const auto place = std::lower_bound(changed_.begin(), changed_.end(), id, std::greater());
  if (place == changed_.end() || *place != id) changed_.insert(place, id);
  return found->swarm.get();
}

bool SwarmSet::changed(core::TorrentId id) const {
  return std::binary_search(changed_.begin(), changed_.end(), id, std::greater());
}

void SwarmSet::tick(TimePoint now) {
  for (const Entry& each : entries_) {
    if (each.deadline <= now) change(each.id)->tick(now);
  }
}

std::optional<core::Action> SwarmSet::poll() {
  while (!changed_.empty()) {
    Entry& last = *entry_of(entries_, changed_.back());
    if (auto action = last.swarm->poll()) return action;
    last.deadline = last.swarm->next_deadline();
    changed_.pop_back();
  }
  return std::nullopt;
}

TimePoint SwarmSet::next_deadline() const {
  TRIBUTARY_DCHECK(changed_.empty());
  TimePoint next = kNever;
  for (const Entry& each : entries_) next = std::min(next, each.deadline);
  return next;
}

}  // namespace tributary::player
