#include "engine/core/fair_share.h"

#include <algorithm>

namespace tributary::core {
namespace {

// Virtual time is bytes x kScale / weight: weights up to 10,000 keep their precision, and 64 bits
// last for a petabyte at weight 1.
constexpr std::int64_t kScale = 8192;

}  // namespace

FairShare::Entry* FairShare::find(ConnId conn) {
  const auto found = std::find_if(parties_.begin(), parties_.end(),
                                  [conn](const Entry& e) { return e.party.conn == conn; });
  return found == parties_.end() ? nullptr : &*found;
}

void FairShare::assign(const std::vector<Party>& parties) {
  std::vector<Entry> entries;
  for (const Party& party : parties) {
    const Entry* known = find(party.conn);
    entries.push_back(known ? *known : Entry{party, virtual_, 0, sent_, {}});
    entries.back().party = party;
  }
  parties_ = std::move(entries);
}

bool FairShare::window_full() const {
  std::int32_t under_way = 0;
  for (const Entry& e : parties_) under_way += stuck(e) ? 0 : e.under_way;
  return under_way >= kWindow;
}

std::optional<ConnId> FairShare::next(std::span<const ConnId> waiting, TimePoint now) const {
  if (window_full()) return std::nullopt;
  const Entry* first = nullptr;
  for (const Entry& e : parties_) {
    if (e.may_send_at > now) continue;
    if (std::find(waiting.begin(), waiting.end(), e.party.conn) == waiting.end()) continue;
    if (!first || std::max(e.finish, virtual_) < std::max(first->finish, virtual_)) first = &e;
  }
  if (!first) return std::nullopt;
  return first->party.conn;
}

TimePoint FairShare::ready_at(std::span<const ConnId> waiting, TimePoint now) const {
  TimePoint at = kNever;
  if (window_full()) return at;
  for (const Entry& e : parties_) {
    if (e.may_send_at <= now) continue;
    const bool waits = std::find(waiting.begin(), waiting.end(), e.party.conn) != waiting.end();
    if (waits) at = std::min(at, e.may_send_at);
  }
  return at;
}

void FairShare::started(ConnId conn, Bytes length, TimePoint now) {
  Entry* e = find(conn);
  if (!e) return;
  virtual_ = std::max(e->finish, virtual_);
  e->finish = virtual_ + length.count() * kScale / std::max(e->party.share.weight, 1);
  if (e->under_way++ == 0) e->moved_at = sent_;
  if (e->party.share.most != kUnlimited) {
    e->may_send_at = std::max(e->may_send_at, now) + transfer_time(length, e->party.share.most);
  }
}

void FairShare::ended(ConnId conn) {
  Entry* e = find(conn);
  if (!e || e->under_way == 0) return;
  --e->under_way;
  e->moved_at = ++sent_;
}

}  // namespace tributary::core
