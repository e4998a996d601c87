// The simulator's clock: events in (time, sequence) order, so that two events of one instant fire
// in the order in which they were scheduled, on every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/strong.h"
#include "engine/base/units.h"

namespace tributary::sim {

// Hosts are counted from zero in the order in which they were added; the CDN's edges are hosts too.
using HostId = Index<struct HostTag>;

// Who handles an event.
enum class Owner : std::uint8_t {
  kLinks,
  kPeerNet,
  kCdn,
  kTracker,
  kDht,
  kNode,      // a node's next_deadline()
  kListener,  // a listener's next_wake()
  kHasher,
  kScript,
};

struct Event {
  Owner owner = Owner::kScript;
  std::uint8_t kind = 0;  // the owner's
  HostId host;
  std::uint64_t id = 0;  // the owner's
};

using EventId = Id<struct EventTag, std::uint64_t>;
inline constexpr EventId kNoEvent{};

// A 4-ary heap whose entries know their place, so that a planned event can be moved or cancelled.
// Tracks: `heap_` (ordered entries) and `slots_` (events by id). Invariant: slots_[heap_[i].slot]
// .place == i for each i.
class EventQueue {
 public:
  TimePoint now() const { return now_; }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // When the next event fires; kNever without one.
  TimePoint next_time() const { return heap_.empty() ? kNever : heap_.front().at; }

  // A time that has passed means now.
  EventId schedule(TimePoint at, const Event& event);
  EventId schedule(Duration in, const Event& event) { return schedule(now_ + in, event); }
  // Both return false for an event that fired or was cancelled. A moved event comes after those
  // that were scheduled for the same instant before.
  bool move(EventId id, TimePoint at);
  bool cancel(EventId id);

  // Advances the clock to the next event and removes it. Nothing when the queue is empty.
  std::optional<Event> pop();
  // Advances the clock without firing. REQUIRES: at <= next_time(); an earlier time is ignored.
  void advance(TimePoint at);

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  struct Slot {
    Event event;
    std::uint32_t generation = 1;
    std::uint32_t place = kFree;
  };
  static constexpr std::uint32_t kFree = ~std::uint32_t{0};

  static bool before(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
  }
  Slot* find(EventId id);
  void put(std::size_t place, const Entry& entry);
  void sift_up(std::size_t place, const Entry& entry);
  void sift_down(std::size_t place, const Entry& entry);
  void settle(std::size_t place, const Entry& entry);
  void remove(std::size_t place);

  TimePoint now_{};
  std::uint64_t sequence_ = 0;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace tributary::sim
