#include "engine/core/dht_pending.h"

#include <algorithm>

namespace tributary::core::dht {

std::string PendingQueries::add(const PendingQuery& query, Secrets& secrets) {
  for (;;) {
    std::uint64_t number = secrets.next();
    std::string id;
    for (int i = 0; i < 4; ++i, number >>= 8) id += static_cast<char>(number & 0xff);
    if (!queries_.emplace(id, query).second) continue;
    timeouts_.emplace(query.sent_at + timeout_, id);
    slow_.emplace(query.sent_at + slow_after_, id);
    return id;
  }
}

std::optional<PendingQuery> PendingQueries::take(std::string_view transaction,
                                                 const Endpoint& from) {
  const auto found = queries_.find(transaction);
  if (found == queries_.end() || found->second.node.endpoint != from) return std::nullopt;
  return remove(found);
}

std::optional<PendingQuery> PendingQueries::expire(TimePoint now) {
  if (first(timeouts_) > now) return std::nullopt;
  return remove(queries_.find(timeouts_.begin()->second));
}

std::optional<PendingQuery> PendingQueries::take_slow(TimePoint now) {
  if (first(slow_) > now) return std::nullopt;
  const PendingQuery query = queries_.find(slow_.begin()->second)->second;
  slow_.erase(slow_.begin());
  return query;
}

TimePoint PendingQueries::next_deadline() const { return std::min(first(timeouts_), first(slow_)); }

TimePoint PendingQueries::first(const Times& times) {
  return times.empty() ? kNever : times.begin()->first;
}

PendingQuery PendingQueries::remove(Queries::iterator at) {
  const PendingQuery query = at->second;
  timeouts_.erase({query.sent_at + timeout_, at->first});
  slow_.erase({query.sent_at + slow_after_, at->first});
  queries_.erase(at);
  return query;
}

}  // namespace tributary::core::dht
