#include "engine/core/dht_routing_table.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core::dht {
namespace {

// Longer silences are of no use to tell apart, and would overflow in sums.
constexpr Duration kLongestSilence = std::chrono::hours(24 * 365);

Duration bounded(Duration silence) {
  return std::clamp(silence, Duration::zero(), kLongestSilence);
}

bool bit(const NodeId& id, std::size_t at) { return (id.bytes[at / 8] >> (7 - at % 8) & 1) != 0; }

void set_bit(NodeId& id, std::size_t at, bool value) {
  const auto mask = static_cast<std::uint8_t>(1U << (7 - at % 8));
  std::uint8_t& octet = id.bytes[at / 8];
  octet = static_cast<std::uint8_t>(value ? octet | mask : octet & ~mask);
}

template <class Entries>
std::size_t of_subnet(const Entries& entries, const Endpoint& endpoint) {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [&](const auto& entry) { return same_subnet(entry.node.endpoint, endpoint); }));
}

}  // namespace

RoutingTable::RoutingTable(const NodeId& own_id, const RoutingLimits& limits)
    : own_id_(own_id), limits_(limits), buckets_(1) {
  TRIBUTARY_CHECK(limits.bucket > 0 && limits.failures > 0);
  buckets_.front().changed = TimePoint::min();
}

RoutingTable::Entry RoutingTable::entry_of(const Contact& node, TimePoint answered) {
  return {node, answered, answered, TimePoint::min(), 0, is_secure(node.id, node.endpoint)};
}

bool RoutingTable::on_answer(const Contact& node, TimePoint now) {
  if (node.id == own_id_ || node.endpoint.port == 0) return false;
  if (Entry* known = find(node.id)) {
    if (known->node.endpoint == node.endpoint) {
      known->answered = known->heard = now;
      known->failures = 0;
      buckets_[index_of(node.id)].changed = now;
      return true;
    }
    if (state(*known, now) != NodeState::kBad) return false;
    forget(known->node.endpoint, now);
  }
  forget(node.endpoint, now);
  return place(entry_of(node, now), now);
}

void RoutingTable::on_query(const Contact& node, TimePoint now) {
  Entry* known = find(node.id);
  if (known == nullptr || known->node.endpoint != node.endpoint) return;
  // Who asks us but never answers is of no use to others.
  if (known->failures == 0) known->heard = now;
}

void RoutingTable::on_failure(const Contact& node, TimePoint now) {
  Bucket& bucket = buckets_[index_of(node.id)];
  std::erase_if(bucket.waiting, [&](const Entry& entry) { return entry.node == node; });
  Entry* known = find(node.id);
  if (known == nullptr || known->node.endpoint != node.endpoint) return;
  if (known->failures < limits_.failures) ++known->failures;
  promote(bucket, now);
}

bool RoutingTable::wants(const Contact& node, TimePoint now) const {
  if (node.id == own_id_ || node.endpoint.port == 0 || find(node.id) != nullptr) return false;
  const Bucket& bucket = buckets_[index_of(node.id)];
  if (crowded(bucket, node.endpoint)) return false;
  if (bucket.nodes.size() < limits_.bucket || &bucket == &buckets_.back()) return true;
  const bool secure = is_secure(node.id, node.endpoint);
  return bucket.waiting.size() < limits_.waiting ||
         std::any_of(bucket.nodes.begin(), bucket.nodes.end(), [&](const Entry& entry) {
           return state(entry, now) == NodeState::kBad || (secure && !entry.secure);
         });
}

std::optional<Contact> RoutingTable::to_check(TimePoint now) const {
  const Entry* oldest = nullptr;
  for (const Bucket& bucket : buckets_) {
    if (bucket.waiting.empty()) continue;
    for (const Entry& entry : bucket.nodes) {
      if (state(entry, now) != NodeState::kQuestionable) continue;
      if (entry.checked > now - limits_.check_again) continue;
      if (oldest == nullptr || entry.heard < oldest->heard) oldest = &entry;
    }
  }
  if (oldest == nullptr) return std::nullopt;
  return oldest->node;
}

void RoutingTable::on_check(const Contact& node, TimePoint now) {
  if (Entry* known = find(node.id)) known->checked = now;
}

// With the target in bucket i: first bucket i, whose nodes share more than i bits with the target;
// then all later buckets, whose nodes share exactly i; then i - 1, i - 2, … one after the other.
std::vector<Contact> RoutingTable::closest(const NodeId& target, std::size_t count,
                                           TimePoint now) const {
  std::vector<Contact> out;
  std::vector<const Entry*> level;
  const auto add = [&](const Bucket& bucket) {
    for (const Entry& entry : bucket.nodes) {
      if (state(entry, now) != NodeState::kBad) level.push_back(&entry);
    }
  };
  const std::size_t at = index_of(target);
  add(buckets_[at]);
  append_closest(level, target, count, out);
  level.clear();
  for (std::size_t i = at + 1; i < buckets_.size() && out.size() < count; ++i) add(buckets_[i]);
  append_closest(level, target, count, out);
  for (std::size_t i = at; i-- > 0 && out.size() < count;) {
    level.clear();
    add(buckets_[i]);
    append_closest(level, target, count, out);
  }
  return out;
}

void RoutingTable::append_closest(const std::vector<const Entry*>& from, const NodeId& target,
                                  std::size_t count, std::vector<Contact>& out) const {
  std::vector<std::pair<NodeId, const Entry*>> sorted;
  for (const Entry* entry : from) sorted.emplace_back(distance(entry->node.id, target), entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& near : sorted) {
    if (out.size() == count) return;
    out.push_back(near.second->node);
  }
}

TimePoint RoutingTable::next_refresh() const {
  if (size_ == 0) return kNever;
  TimePoint first = kNever;
  for (const Bucket& bucket : buckets_) {
    first = std::min(first, bucket.changed + limits_.refresh_after);
  }
  return first;
}

std::optional<NodeId> RoutingTable::take_refresh(TimePoint now, Random& random) {
  if (next_refresh() > now) return std::nullopt;
  const auto due = std::find_if(buckets_.begin(), buckets_.end(), [&](const Bucket& bucket) {
    return bucket.changed + limits_.refresh_after <= now;
  });
  due->changed = now;
  const auto at = static_cast<std::size_t>(due - buckets_.begin());
  NodeId target = random_id(random);
  for (std::size_t i = 0; i < at; ++i) set_bit(target, i, bit(own_id_, i));
  if (at + 1 < buckets_.size()) set_bit(target, at, !bit(own_id_, at));
  return target;
}

void RoutingTable::refresh_all() {
  for (Bucket& bucket : buckets_) bucket.changed = TimePoint::min();
}

void RoutingTable::set_own_id(const NodeId& own_id, TimePoint now) {
  std::vector<Bucket> old(1);
  old.front().changed = TimePoint::min();
  old.swap(buckets_);
  own_id_ = own_id;
  size_ = 0;
  for (const Bucket& bucket : old) {
    for (const Entry& entry : bucket.nodes) {
      if (entry.node.id != own_id) place(entry, now);
    }
  }
}

std::vector<SavedContact> RoutingTable::save(TimePoint now) const {
  std::vector<SavedContact> out;
  for (const Bucket& bucket : buckets_) {
    for (const Entry& entry : bucket.nodes) {
      if (state(entry, now) == NodeState::kBad) continue;
      out.push_back({entry.node, bounded(now - entry.answered)});
    }
  }
  return out;
}

void RoutingTable::restore(const std::vector<SavedContact>& saved, Duration away, TimePoint now) {
  for (const SavedContact& each : saved) {
    const Contact& node = each.contact;
    if (node.id == own_id_ || node.endpoint.port == 0 || find(node.id) != nullptr) continue;
    forget(node.endpoint, now);
    const TimePoint heard = now - bounded(each.silent) - bounded(away);
    place(entry_of(node, heard), now);
  }
}

std::size_t RoutingTable::good(TimePoint now) const {
  std::size_t count = 0;
  for (const Bucket& bucket : buckets_) {
    for (const Entry& entry : bucket.nodes) count += state(entry, now) == NodeState::kGood ? 1 : 0;
  }
  return count;
}

NodeState RoutingTable::state_of(const NodeId& id, TimePoint now) const {
  const Entry* known = find(id);
  return known == nullptr ? NodeState::kBad : state(*known, now);
}

void RoutingTable::check() const {
  std::size_t nodes = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    nodes += bucket.nodes.size();
    TRIBUTARY_CHECK(bucket.nodes.size() <= limits_.bucket);
    TRIBUTARY_CHECK(bucket.waiting.size() <= limits_.waiting);
    for (const Entry& entry : bucket.nodes) {
      TRIBUTARY_CHECK(index_of(entry.node.id) == i && find(entry.node.id) == &entry);
      TRIBUTARY_CHECK(entry.node.endpoint.is_local() ||
                      of_subnet(bucket.nodes, entry.node.endpoint) <= limits_.per_subnet_in_bucket);
    }
  }
  TRIBUTARY_CHECK(nodes == size_ && buckets_.size() <= kIdBits);
}

std::size_t RoutingTable::index_of(const NodeId& id) const {
  return std::min(static_cast<std::size_t>(shared_bits(own_id_, id)), buckets_.size() - 1);
}

NodeState RoutingTable::state(const Entry& entry, TimePoint now) const {
  if (entry.failures >= limits_.failures) return NodeState::kBad;
  return entry.heard + limits_.questionable_after > now ? NodeState::kGood
                                                        : NodeState::kQuestionable;
}

bool RoutingTable::crowded(const Bucket& bucket, const Endpoint& endpoint) const {
  if (endpoint.is_local()) return false;
  if (of_subnet(bucket.nodes, endpoint) >= limits_.per_subnet_in_bucket) return true;
  std::size_t all = 0;
  for (const Bucket& each : buckets_) all += of_subnet(each.nodes, endpoint);
  return all >= limits_.per_subnet;
}

bool RoutingTable::place(const Entry& entry, TimePoint now) {
  for (;;) {
    Bucket& bucket = buckets_[index_of(entry.node.id)];
    std::erase_if(bucket.waiting,
                  [&](const Entry& other) { return other.node.id == entry.node.id; });
    if (crowded(bucket, entry.node.endpoint)) return false;
    if (bucket.nodes.size() < limits_.bucket) return put(bucket, entry), true;
    const std::size_t bad = bad_one(bucket, now);
    if (bad < bucket.nodes.size()) return replace(bucket, bad, entry), true;
    if (&bucket == &buckets_.back() && buckets_.size() < kIdBits) {
      split();
      continue;
    }
    const auto insecure = std::find_if(bucket.nodes.begin(), bucket.nodes.end(),
                                       [](const Entry& other) { return !other.secure; });
    if (entry.secure && insecure != bucket.nodes.end()) {
      return replace(bucket, static_cast<std::size_t>(insecure - bucket.nodes.begin()), entry),
             true;
    }
    return wait(bucket, entry), false;
  }
}

void RoutingTable::put(Bucket& bucket, const Entry& entry) {
  bucket.nodes.push_back(entry);
  bucket.changed = std::max(bucket.changed, entry.answered);
  ++size_;
}

void RoutingTable::replace(Bucket& bucket, std::size_t at, const Entry& entry) {
  bucket.nodes[at] = entry;
  bucket.changed = std::max(bucket.changed, entry.answered);
}

std::size_t RoutingTable::bad_one(const Bucket& bucket, TimePoint now) const {
  const auto bad = std::find_if(bucket.nodes.begin(), bucket.nodes.end(), [&](const Entry& entry) {
    return state(entry, now) == NodeState::kBad;
  });
  return static_cast<std::size_t>(bad - bucket.nodes.begin());
}

void RoutingTable::wait(Bucket& bucket, const Entry& entry) const {
  const Endpoint& endpoint = entry.node.endpoint;
  if (!endpoint.is_local() && of_subnet(bucket.waiting, endpoint) >= limits_.per_subnet_in_bucket) {
    return;
  }
  bucket.waiting.push_back(entry);
  if (bucket.waiting.size() > limits_.waiting) bucket.waiting.erase(bucket.waiting.begin());
}

void RoutingTable::split() {
  const std::size_t at = buckets_.size() - 1;
  buckets_.emplace_back();
  Bucket& near = buckets_.back();
  Bucket& far = buckets_[at];
  near.changed = far.changed;
  const auto stays = [&](const Entry& entry) { return index_of(entry.node.id) == at; };
  for (auto member : {&Bucket::nodes, &Bucket::waiting}) {
    std::vector<Entry>& entries = far.*member;
    const auto moved = std::stable_partition(entries.begin(), entries.end(), stays);
    (near.*member).assign(moved, entries.end());
    entries.erase(moved, entries.end());
  }
}

// Fills free places, and those of bad nodes, from the nodes that wait.
void RoutingTable::promote(Bucket& bucket, TimePoint now) {
  while (!bucket.waiting.empty()) {
    const std::size_t bad = bad_one(bucket, now);
    if (bucket.nodes.size() == limits_.bucket && bad == bucket.nodes.size()) return;
    const Entry next = bucket.waiting.back();
    bucket.waiting.pop_back();
    if (crowded(bucket, next.node.endpoint)) continue;
    if (bad < bucket.nodes.size()) {
      replace(bucket, bad, next);
    } else {
      put(bucket, next);
    }
  }
}

void RoutingTable::forget(const Endpoint& endpoint, TimePoint now) {
  const auto is_it = [&](const Entry& entry) { return entry.node.endpoint == endpoint; };
  for (Bucket& bucket : buckets_) {
    std::erase_if(bucket.waiting, is_it);
    const std::size_t gone = std::erase_if(bucket.nodes, is_it);
    size_ -= gone;
    if (gone > 0) promote(bucket, now);
  }
}

const RoutingTable::Entry* RoutingTable::find(const NodeId& id) const {
  const Bucket& bucket = buckets_[index_of(id)];
  const auto found = std::find_if(bucket.nodes.begin(), bucket.nodes.end(),
                                  [&](const Entry& entry) { return entry.node.id == id; });
  return found == bucket.nodes.end() ? nullptr : &*found;
}

RoutingTable::Entry* RoutingTable::find(const NodeId& id) {
  return const_cast<Entry*>(std::as_const(*this).find(id));
}

}  // namespace tributary::core::dht
