// The swarms of a node. Nearly every event concerns one of them: only those that may have changed
// are asked what is to be done, and when they want to act next.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/core/swarm.h"

namespace tributary::player {

// Tracks: each swarm with the deadline that it named when it was last looked at, by ascending ids;
// which may have changed since. Invariant: a swarm that is not among the changed has nothing to
// say.
class SwarmSet {
 public:
  struct Entry {
    core::TorrentId id;
    std::unique_ptr<core::Swarm> swarm;
    TimePoint deadline = kNever;
  };
  // All deadlines are looked at after each event: they lie together.
  using Entries = std::vector<Entry>;

  // Returns whether the id is new.
  bool add(core::TorrentId id, std::unique_ptr<core::Swarm> swarm);
  void remove(core::TorrentId id);
  // Nothing where there is none of this id; also below.
  const core::Swarm* find(core::TorrentId id) const;
  // For calls that change it.
  core::Swarm* change(core::TorrentId id);
  bool changed(core::TorrentId id) const;

  // Lets those act whose deadline has come.
  void tick(TimePoint now);
  // What the changed ones have to say, by ascending ids.
  std::optional<core::Action> poll();
  // REQUIRES: poll() has nothing more.
  TimePoint next_deadline() const;

  Entries::const_iterator begin() const { return entries_.begin(); }
  Entries::const_iterator end() const { return entries_.end(); }

 private:
  Entries entries_;
  std::vector<core::TorrentId> changed_;  // descending, so that the next one is the last
};

}  // namespace tributary::player
