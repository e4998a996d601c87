#include "engine/core/unchoke_slots.h"

#include <algorithm>
#include <utility>

#include "engine/base/contains.h"

namespace tributary::core {
namespace {

std::size_t slots(int n) { return static_cast<std::size_t>(std::max(n, 0)); }

// One call's working set.
class Choice {
 public:
  Choice(const ChokerSnapshot& snapshot, const ChokerParams& params, ChokerState& state,
         const ChokePeers& best_first, bool (*earns)(const ChokePeer&))
      : snapshot_(snapshot),
        params_(params),
        state_(state),
        eligible_(best_first),
        earns_(earns),
        total_(slots(params.regular_slots) + slots(params.optimistic_slots)) {}

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
  bool chosen(ConnId id) const { return contains(regular_, id) || contains(optimistic_, id); }
  std::size_t used() const { return regular_.size() + optimistic_.size(); }
  // Slots that may be held by now, the optimistic ones included.
  std::size_t open() const {
    if (!params_.unearned_slots) return total_;
    return std::max(regular_.size() + slots(params_.optimistic_slots),
                    slots(*params_.unearned_slots));
  }

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
      if (earns_(*p) && !chosen(p->conn)) regular_.push_back(p->conn);
    }
  }
  void keep_optimistic() {
    for (ConnId id : state_.optimistic) {
      if (used() >= open()) return;
      const auto here = [id](const ChokePeer* p) { return p->conn == id; };
      if (std::any_of(eligible_.begin(), eligible_.end(), here) && !chosen(id)) {
        optimistic_.push_back(id);
      }
    }
  }

  // Draws for the slots that are left, either among the former optimistic ones or among the others:
  // a rotation comes back to a former one only when nobody else waits.
  void fill_optimistic(const std::vector<ConnId>& former, bool among_former) {
    ChokePeers pool;
    for (const ChokePeer* p : eligible_) {
      if (!chosen(p->conn) && contains(former, p->conn) == among_former) pool.push_back(p);
    }
    while (used() < open() && !pool.empty()) {
      const auto drawn = pool.begin() + static_cast<std::ptrdiff_t>(draw(pool));
      optimistic_.push_back((*drawn)->conn);
      pool.erase(drawn);
    }
  }
  std::uint64_t weight(const ChokePeer& p) const {
    const bool newcomer = p.last_unchoked_at == kNeverUnchoked;
    return newcomer ? static_cast<std::uint64_t>(std::max(params_.newcomer_weight, 1)) : 1;
  }
  std::size_t draw(const ChokePeers& pool) {
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
    out.full = used() >= open();
    // While everybody has a slot, time changes nothing.
    if (eligible_.size() > out.unchoked.size() && total_ > 0) {
      out.next_deadline = std::min(state_.next_rerank, state_.next_rotation);
    }
    return out;
  }

  const ChokerSnapshot& snapshot_;
  const ChokerParams& params_;
  ChokerState& state_;
  const ChokePeers& eligible_;  // best first
  bool (*earns_)(const ChokePeer&);
  std::size_t total_;
  std::vector<ConnId> regular_;
  std::vector<ConnId> optimistic_;
};

}  // namespace

ChokePeers fit_peers(const ChokerSnapshot& snapshot) {
  ChokePeers fit;
  for (const ChokePeer& peer : snapshot.peers) {
    if (peer.interested && !peer.upload_only) fit.push_back(&peer);
  }
  return fit;
}

ChokeDecision fill_slots(const ChokerSnapshot& snapshot, const ChokerParams& params,
                         ChokerState& state, const ChokePeers& best_first,
                         bool (*earns)(const ChokePeer&)) {
  if (snapshot.stop_uploads) {
    state.optimistic.clear();
    ChokeDecision nobody;
    nobody.full = true;
    return nobody;
  }
  return Choice(snapshot, params, state, best_first, earns).run();
}

}  // namespace tributary::core
