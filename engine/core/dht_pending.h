// The queries of a DHT node that wait for an answer.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/core/dht_secrets.h"

namespace tributary::core::dht {

using LookupId = Id<struct LookupTag, std::uint64_t>;

// Why a query was sent.
enum class Purpose : std::uint8_t {
  kCheck,     // is it there?
  kLookup,    // find_node or get_peers of a search
  kAnnounce,  // announce_peer at the end of one
};

struct PendingQuery {
  Contact node;  // whom; the id is a guess where the purpose is to learn it
  Purpose purpose = Purpose::kCheck;
  LookupId lookup;
  TimePoint sent_at{};
};

// Every query leaves by take() or expire(), once. The owner bounds their number: it sends new ones
// as old ones end.
class PendingQueries {
 public:
  PendingQueries(Duration timeout, Duration slow_after)
      : timeout_(timeout), slow_after_(slow_after) {}

  // A transaction id of 4 bytes that no other query has: 2^-32 per forged answer.
  std::string add(const PendingQuery& query, Secrets& secrets);
  // The query that this answers; nothing for an id that is unknown, or was sent to another address:
  // then the answer is a forgery, or late.
  std::optional<PendingQuery> take(std::string_view transaction, const Endpoint& from);
  // One that has timed out.
  std::optional<PendingQuery> expire(TimePoint now);
  // One that has waited for `slow_after` and still does; each is named once.
  std::optional<PendingQuery> take_slow(TimePoint now);
  // The next of either.
  TimePoint next_deadline() const;
  std::size_t size() const { return queries_.size(); }

 private:
  using Times = std::set<std::pair<TimePoint, std::string>>;
  using Queries = std::map<std::string, PendingQuery, std::less<>>;
  static TimePoint first(const Times& times);
  PendingQuery remove(Queries::iterator at);

  Duration timeout_;
  Duration slow_after_;
  Queries queries_;
  Times timeouts_;
  Times slow_;
};

}  // namespace tributary::core::dht
