#include "engine/core/choker.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tributary::core {
namespace {

using Peers = std::vector<const ChokePeer*>;

bool contains(const std::vector<ConnId>& ids, ConnId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::size_t slots(int n) { return static_cast<std::size_t>(std::max(n, 0)); }

// Best first: who gives most, not who snubs us; a holder before its equal.
auto leech_order(const ChokePeer& p) {
  return std::tuple(p.snubbed, -p.received.bits_per_second(), !p.unchoked, p.connected_at, p.conn);
}

// First those in their turn, then those who wait, then those who have had it.
auto seed_order(const ChokePeer& p, TimePoint now, Duration turn) {
  const bool in_turn = p.unchoked && p.last_unchoked_at + turn > now;
  const int group = in_turn ? 0 : !p.unchoked ? 1 : 2;
  return std::tuple(group, p.unchoked ? TimePoint() : p.last_unchoked_at,
                    p.unchoked ? -p.sent.bits_per_second() : 0, p.connected_at, p.conn);
}

// One call's working set.
class Choice {
 public:
  Choice(const ChokerSnapshot& snapshot, const ChokerParams& params, ChokerState& state)
      : snapshot_(snapshot), params_(params), state_(state) {
    for (const ChokePeer& peer : snapshot.peers) {
      if (peer.interested && !peer.upload_only) eligible_.push_back(&peer);
    }
    const auto better = [&](const ChokePeer* a, const ChokePeer* b) {
      if (!snapshot.seeding) return leech_order(*a) < leech_order(*b);
      return seed_order(*a, snapshot.now, params.seed_turn) <
             seed_order(*b, snapshot.now, params.seed_turn);
    };
    std::sort(eligible_.begin(), eligible_.end(), better);
    total_ = slots(params.regular_slots) + slots(params.optimistic_slots);
  }

  ChokeDecision run() {
    const bool rerank = snapshot_.now >= state_.next_rerank;
    const bool rotate = snapshot_.now >= state_.next_rotation;
    if (rerank) state_.next_rerank = snapshot_.now + params_.rerank_every;
    if (rotate) state_.next_rotation = snapshot_.now + params_.rotate_every;
    if (!rerank) keep_regular();
    if (rerank) fill_regular(slots(params_.regular_slots));
    if (!rotate) keep_optimistic();
    if (!rerank) fill_regular(total_ - std::min(total_, optimistic_.size()));
    const std::vector<ConnId> former = std::exchange(state_.optimistic, {});
    fill_optimistic(former, false);
    fill_optimistic(former, true);
    state_.optimistic = optimistic_;
    return decision();
  }

 private:
  bool earns_slot(const ChokePeer& p) const {
    return snapshot_.seeding || (p.received > BitRate() && !p.snubbed);
  }
  bool chosen(ConnId id) const { return contains(regular_, id) || contains(optimistic_, id); }
  std::size_t used() const { return regular_.size() + optimistic_.size(); }

  void keep_regular() {
    for (const ChokePeer* p : eligible_) {
      if (regular_.size() == slots(params_.regular_slots)) return;
      if (p->unchoked && !contains(state_.optimistic, p->conn)) regular_.push_back(p->conn);
    }
  }
  void fill_regular(std::size_t limit) {
    limit = std::min(limit, slots(params_.regular_slots));
    for (const ChokePeer* p : eligible_) {
      if (regular_.size() >= limit) return;
      if (earns_slot(*p) && !chosen(p->conn)) regular_.push_back(p->conn);
    }
  }
  void keep_optimistic() {
    for (ConnId id : state_.optimistic) {
      if (used() >= total_) return;
      const auto here = [id](const ChokePeer* p) { return p->conn == id; };
      if (std::any_of(eligible_.begin(), eligible_.end(), here) && !chosen(id)) {
        optimistic_.push_back(id);
      }
    }
  }

  // Draws for the slots that are left, either among the former optimistic ones or among the others:
  // a rotation comes back to a former one only when nobody else waits.
  void fill_optimistic(const std::vector<ConnId>& former, bool among_former) {
    Peers pool;
    for (const ChokePeer* p : eligible_) {
      if (!chosen(p->conn) && contains(former, p->conn) == among_former) pool.push_back(p);
    }
    while (used() < total_ && !pool.empty()) {
      const auto drawn = pool.begin() + static_cast<std::ptrdiff_t>(draw(pool));
      optimistic_.push_back((*drawn)->conn);
      pool.erase(drawn);
    }
  }
  std::uint64_t weight(const ChokePeer& p) const {
    const bool newcomer = p.last_unchoked_at == kNeverUnchoked;
    return newcomer ? static_cast<std::uint64_t>(std::max(params_.newcomer_weight, 1)) : 1;
  }
  std::size_t draw(const Peers& pool) {
    std::uint64_t sum = 0;
    for (const ChokePeer* p : pool) sum += weight(*p);
    std::uint64_t ticket = state_.random.below(sum);
    std::size_t i = 0;
    while (ticket >= weight(*pool[i])) ticket -= weight(*pool[i++]);
    return i;
  }

  ChokeDecision decision() const {
    ChokeDecision out{regular_, kNever};
    out.unchoked.insert(out.unchoked.end(), optimistic_.begin(), optimistic_.end());
    // While everybody has a slot, time changes nothing.
    if (eligible_.size() > out.unchoked.size() && total_ > 0) {
      out.next_deadline = std::min(state_.next_rerank, state_.next_rotation);
    }
    return out;
  }

  const ChokerSnapshot& snapshot_;
  const ChokerParams& params_;
  ChokerState& state_;
  Peers eligible_;  // best first
  std::size_t total_ = 0;
  std::vector<ConnId> regular_;
  std::vector<ConnId> optimistic_;
};

}  // namespace

ChokeDecision choose_unchokes(const ChokerSnapshot& snapshot, const ChokerParams& params,
                              ChokerState& state) {
  if (snapshot.stop_uploads) {
    state.optimistic.clear();
    return {};
  }
  return Choice(snapshot, params, state).run();
}

}  // namespace tributary::core
