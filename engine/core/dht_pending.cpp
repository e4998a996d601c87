#include "engine/core/dht_pending.h"

namespace tributary::core::dht {

std::string PendingQueries::add(const PendingQuery& query, Secrets& secrets) {
  for (;;) {
    std::uint64_t number = secrets.next();
    std::string id;
    for (int i = 0; i < 4; ++i, number >>= 8) id += static_cast<char>(number & 0xff);
    if (!queries_.emplace(id, query).second) continue;
    timeouts_.emplace(query.sent_at + timeout_, id);
    return id;
  }
}

std::optional<PendingQuery> PendingQueries::take(std::string_view transaction,
                                                 const Endpoint& from) {
  const auto found = queries_.find(transaction);
  if (found == queries_.end() || found->second.node.endpoint != from) return std::nullopt;
  const PendingQuery query = found->second;
  timeouts_.erase({query.sent_at + timeout_, found->first});
  queries_.erase(found);
  return query;
}

std::optional<PendingQuery> PendingQueries::expire(TimePoint now) {
  if (next_timeout() > now) return std::nullopt;
  const auto found = queries_.find(timeouts_.begin()->second);
  const PendingQuery query = found->second;
  timeouts_.erase(timeouts_.begin());
  queries_.erase(found);
  return query;
}

TimePoint PendingQueries::next_timeout() const {
  return timeouts_.empty() ? kNever : timeouts_.begin()->first;
}

}  // namespace tributary::core::dht
