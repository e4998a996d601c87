#include "engine/sim/event_queue.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::sim {

EventQueue::Slot* EventQueue::find(EventId id) {
  const auto slot = static_cast<std::uint32_t>(id.value());
  if (slot >= slots_.size()) return nullptr;
  Slot& s = slots_[slot];
  return s.generation == id.value() >> 32 && s.place != kFree ? &s : nullptr;
}

EventId EventQueue::schedule(TimePoint at, const Event& event) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].event = event;
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {std::max(at, now_), sequence_++, slot});
  return EventId(std::uint64_t{slots_[slot].generation} << 32 | slot);
}

bool EventQueue::move(EventId id, TimePoint at) {
  Slot* slot = find(id);
  if (slot == nullptr) return false;
  const std::size_t place = slot->place;
  settle(place, {std::max(at, now_), sequence_++, heap_[place].slot});
  return true;
}

bool EventQueue::cancel(EventId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return false;
  remove(slot->place);
  return true;
}

std::optional<Event> EventQueue::pop() {
  if (heap_.empty()) return std::nullopt;
  now_ = heap_.front().at;
  const Event event = slots_[heap_.front().slot].event;
  remove(0);
  return event;
}

void EventQueue::advance(TimePoint at) {
  TRIBUTARY_CHECK(at <= next_time());
  now_ = std::max(now_, at);
}

void EventQueue::put(std::size_t place, const Entry& entry) {
  heap_[place] = entry;
  slots_[entry.slot].place = static_cast<std::uint32_t>(place);
}

void EventQueue::sift_up(std::size_t place, const Entry& entry) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 4;
    if (!before(entry, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void EventQueue::sift_down(std::size_t place, const Entry& entry) {
  while (true) {
    const std::size_t first = place * 4 + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t end = std::min(first + 4, heap_.size());
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], entry)) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, entry);
}

void EventQueue::settle(std::size_t place, const Entry& entry) {
  if (place > 0 && before(entry, heap_[(place - 1) / 4])) {
    sift_up(place, entry);
  } else {
    sift_down(place, entry);
  }
}

void EventQueue::remove(std::size_t place) {
  const std::uint32_t slot = heap_[place].slot;
  slots_[slot].place = kFree;
  ++slots_[slot].generation;
  free_.push_back(slot);
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) settle(place, last);
}

}  // namespace tributary::sim
