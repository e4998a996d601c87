#include "engine/core/choker.h"

#include <algorithm>
#include <tuple>

#include "engine/base/check.h"
#include "engine/core/unchoke_slots.h"

namespace tributary::core {
namespace {

bool anybody(const ChokePeer&) { return true; }
bool gives(const ChokePeer& p) { return p.received > BitRate() && !p.snubbed; }

// Best first: who gives most, not who snubs us; a holder before its equal.
auto leech_order(const ChokePeer& p) {
  return std::tuple(p.snubbed, -p.received.bits_per_second(), !p.unchoked, p.connected_at, p.conn);
}

auto fastest_order(const ChokePeer& p) {
  return std::tuple(-p.sent.bits_per_second(), !p.unchoked, p.connected_at, p.conn);
}

// As a seed: those whose turn it is, or who take fastest.
ChokePeers best_givers(const ChokerSnapshot& snapshot, const ChokerParams& params) {
  ChokePeers fit = fit_peers(snapshot);
  std::sort(fit.begin(), fit.end(), [&](const ChokePeer* a, const ChokePeer* b) {
    if (!snapshot.seeding) return leech_order(*a) < leech_order(*b);
    if (params.seed_to_fastest) return fastest_order(*a) < fastest_order(*b);
    return turn_order(*a, snapshot.now, params.seed_turn) <
           turn_order(*b, snapshot.now, params.seed_turn);
  });
  return fit;
}

// Playing counts for four times prefetching, and that for four times storing: enough to go first,
// and yet nobody who was unchoked is starved into a time-out.
std::int32_t need_weight(Need need) { return 1 << (2 * static_cast<int>(need)); }

// A slot thinner than this of a home's uplink no longer fills a connection.
constexpr int kMostGivers = 16;
// Kept for those who cannot have given yet: what one slot in five is in tit_for_tat.
constexpr std::int64_t kNewcomerPercent = 20;
// Weights are parts of this: fine enough for sixteen givers, and no product overflows.
constexpr std::int64_t kWhole = 10'000;

const ChokePeer& find(const ChokerSnapshot& snapshot, ConnId conn) {
  const auto found = std::find_if(snapshot.peers.begin(), snapshot.peers.end(),
                                  [conn](const ChokePeer& p) { return p.conn == conn; });
  TRIBUTARY_CHECK(found != snapshot.peers.end());
  return *found;
}

UploadShare part(std::int64_t amount, std::int64_t of, std::int64_t whole) {
  const std::int64_t weight = of > 0 ? mul_div(amount, whole, of) : whole;
  return {static_cast<std::int32_t>(std::max<std::int64_t>(weight, 1)), kUnlimited};
}

// What each regular one gave of all they gave; the optimistic ones have the newcomers' part.
std::vector<UploadShare> proportional(const ChokerSnapshot& snapshot, const ChokeDecision& decision,
                                      std::size_t optimistic) {
  const std::size_t regular = decision.unchoked.size() - optimistic;
  std::vector<std::int64_t> gave;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < regular; ++i) {
    gave.push_back(find(snapshot, decision.unchoked[i]).received.bits_per_second());
    sum += gave.back();
  }
  const std::int64_t newcomers = optimistic > 0 ? kWhole * kNewcomerPercent / 100 : 0;
  std::vector<UploadShare> shares;
  for (std::int64_t amount : gave) shares.push_back(part(amount, sum, kWhole - newcomers));
  for (std::size_t i = 0; i < optimistic; ++i) {
    shares.push_back(part(1, static_cast<std::int64_t>(optimistic), newcomers));
  }
  return shares;
}

}  // namespace

ChokeDecision tit_for_tat(const ChokerSnapshot& snapshot, const ChokerParams& params,
                          ChokerState& state) {
  return fill_slots(snapshot, params, state, best_givers(snapshot, params),
                    snapshot.seeding ? anybody : gives);
}

ChokeDecision prop_share(const ChokerSnapshot& snapshot, ChokerState& state) {
  if (snapshot.seeding) return tit_for_tat(snapshot, {}, state);
  ChokerParams params;
  params.unearned_slots = params.regular_slots + params.optimistic_slots;
  params.regular_slots = kMostGivers;
  ChokePeers fit = best_givers(snapshot, params);
  std::erase_if(fit, [](const ChokePeer* p) { return p->only_takes && !gives(*p); });
  ChokeDecision decision = fill_slots(snapshot, params, state, fit, gives);
  if (decision.unchoked.empty()) return decision;
  decision.shares = proportional(snapshot, decision, state.optimistic.size());
  decision.next_deadline = std::min(state.next_rerank, state.next_rotation);
  return decision;
}

ChokeDecision need_first(const ChokerSnapshot& snapshot, ChokerState& state) {
  // Whoever begins to play should not wait for long. Ranking often makes nobody's slot flicker
  // here: equals hold theirs for a turn.
  constexpr Duration kLook = 2s;
  ChokerParams params;
  params.rerank_every = kLook;
  ChokePeers fit = fit_peers(snapshot);
  const auto order = [&](const ChokePeer& p) {
    return std::tuple(-static_cast<int>(p.need), p.overdrawn,
                      turn_order(p, snapshot.now, params.seed_turn));
  };
  std::sort(fit.begin(), fit.end(),
            [&](const ChokePeer* a, const ChokePeer* b) { return order(*a) < order(*b); });
  ChokeDecision decision = fill_slots(snapshot, params, state, fit, anybody);
  if (decision.unchoked.empty()) return decision;
  decision.next_deadline = std::min(state.next_rerank, state.next_rotation);
  for (ConnId conn : decision.unchoked) {
    decision.shares.push_back({need_weight(find(snapshot, conn).need), kUnlimited});
  }
  return decision;
}

ChokeRule unchoke_by(Unchoker unchoker) {
  switch (unchoker) {
    case Unchoker::kPropShare:
      return prop_share;
    case Unchoker::kNeedFirst:
      return need_first;
    case Unchoker::kTitForTat:
    case Unchoker::kTitForTatFastest:
      break;
  }
  ChokerParams params;
  params.seed_to_fastest = unchoker == Unchoker::kTitForTatFastest;
  return [params](const ChokerSnapshot& snapshot, ChokerState& state) {
    return tit_for_tat(snapshot, params, state);
  };
}

}  // namespace tributary::core
