#include "engine/sim/adversaries.h"

#include <algorithm>
#include <tuple>
#include <variant>

namespace tributary::sim {
namespace {

// The paper's constants.
constexpr Duration kRerankEvery = 10s;
constexpr int kReciprocatedRounds = 3;
constexpr std::int64_t kRaisePercent = 20;
constexpr std::int64_t kLowerPercent = 10;
// What a peer is first believed to cost and to give: an equal split among the usual five slots.
constexpr std::int64_t kFirstSlots = 5;
// Below this a block takes longer than a round.
constexpr BitRate kLeastCost = 16_kbps;

class BitTyrant {
 public:
  explicit BitTyrant(BitRate capacity) : capacity_(capacity) {}

  core::ChokeDecision operator()(const core::ChokerSnapshot& snapshot, core::ChokerState& state) {
    if (snapshot.seeding) return {};
    const bool round = snapshot.now >= state.next_rerank;
    if (round) {
      state.next_rerank = snapshot.now + kRerankEvery;
      learn(snapshot);
    }
    return decide(snapshot, state);
  }

 private:
  struct Belief {
    BitRate cost;
    BitRate gives;
    int reciprocated = 0;  // rounds in a row
  };

  Belief& belief(core::ConnId conn) {
    const BitRate first = capacity_ / kFirstSlots;
    return beliefs_.try_emplace(conn, Belief{first, first, 0}).first->second;
  }

  void learn(const core::ChokerSnapshot& snapshot) {
    for (const core::ChokePeer& peer : snapshot.peers) {
      Belief& b = belief(peer.conn);
      if (peer.unchokes_us) {
        if (peer.received > BitRate()) b.gives = peer.received;
        if (++b.reciprocated >= kReciprocatedRounds) {
          b.cost = std::max(b.cost / 100 * (100 - kLowerPercent), kLeastCost);
        }
      } else {
        b.reciprocated = 0;
        if (peer.unchoked) b.cost = std::min(b.cost / 100 * (100 + kRaisePercent), capacity_);
      }
    }
  }

  core::ChokeDecision decide(const core::ChokerSnapshot& snapshot, core::ChokerState& state) {
    std::vector<const core::ChokePeer*> ranked;
    for (const core::ChokePeer& peer : snapshot.peers) {
      if (peer.interested && !peer.upload_only) ranked.push_back(&peer);
    }
    std::sort(ranked.begin(), ranked.end(),
              [this](const auto* a, const auto* b) { return rank(*a) < rank(*b); });
    core::ChokeDecision decision;
    BitRate spent;
    for (const core::ChokePeer* peer : ranked) {
      const BitRate cost = belief(peer->conn).cost;
      if (spent + cost > capacity_) break;
      spent = spent + cost;
      decision.unchoked.push_back(peer->conn);
      decision.shares.push_back({1, cost});
    }
    if (!ranked.empty()) decision.next_deadline = state.next_rerank;
    return decision;
  }

  // The best return first, in permille.
  std::tuple<std::int64_t, core::ConnId> rank(const core::ChokePeer& peer) {
    const Belief& b = belief(peer.conn);
    const std::int64_t worth =
        mul_div(b.gives.bits_per_second(), 1000, std::max(b.cost, kLeastCost).bits_per_second());
    return {-worth, peer.conn};
  }

  BitRate capacity_;
  std::map<core::ConnId, Belief> beliefs_;
};

}  // namespace

core::ChokeRule bit_tyrant(BitRate capacity) { return BitTyrant(capacity); }

core::PeerBookParams large_view() {
  core::PeerBookParams book;
  book.soft_limit = 1000;
  book.hard_limit = 1000;
  book.dials_per_second = 100;
  book.half_open = 100;
  return book;
}

void PieceHider::add(Other& other, std::int32_t piece) {
  if (other.has.insert(piece).second) ++common_[piece];
}

std::optional<core::Message> PieceHider::said(core::ConnId conn, const core::Message& message,
                                              const core::Layout& layout) {
  if (const auto* have = std::get_if<core::Have>(&message)) {
    ours_.insert(have->piece.value());
    return std::nullopt;
  }
  const bool first = std::holds_alternative<core::BitfieldMessage>(message) ||
                     std::holds_alternative<core::HaveAll>(message) ||
                     std::holds_alternative<core::HaveNone>(message);
  if (!first) return message;
  others_[conn] = {};
  if (const auto* bits = std::get_if<core::BitfieldMessage>(&message)) {
    for (std::int32_t p = 0; p < layout.piece_count(); ++p) {
      const std::uint8_t byte = bits->bytes[static_cast<std::size_t>(p / 8)];
      if ((byte >> (7 - p % 8) & 1) != 0) ours_.insert(p);
    }
  }
  return core::HaveNone{};
}

void PieceHider::heard(core::ConnId conn, const core::Message& message) {
  Other& other = others_[conn];
  if (const auto* have = std::get_if<core::Have>(&message)) {
    add(other, have->piece.value());
  } else if (std::holds_alternative<core::NotInterested>(message)) {
    // It has all that it was shown, some of it from others, which it does not tell us.
    for (const std::int32_t piece : std::exchange(other.shown, {})) add(other, piece);
  } else if (std::holds_alternative<core::HaveAll>(message)) {
    other.has_all = true;
  } else if (const auto* bits = std::get_if<core::BitfieldMessage>(&message)) {
    for (std::size_t p = 0; p < bits->bytes.size() * 8; ++p) {
      if ((bits->bytes[p / 8] >> (7 - p % 8) & 1) != 0) add(other, static_cast<std::int32_t>(p));
    }
  }
}

// The most common piece that we have and it lacks.
std::optional<std::int32_t> PieceHider::choose(const Other& other) const {
  std::optional<std::int32_t> best;
  std::int32_t most = -1;
  for (const std::int32_t piece : ours_) {
    if (other.has.contains(piece) || other.shown.contains(piece)) continue;
    const auto known = common_.find(piece);
    const std::int32_t count = known == common_.end() ? 0 : known->second;
    if (count > most) best = piece;
    most = std::max(most, count);
  }
  return best;
}

std::optional<std::pair<core::ConnId, core::PieceIndex>> PieceHider::show() {
  for (auto& entry : others_) {
    Other& other = entry.second;
    if (other.has_all) continue;
    std::erase_if(other.shown, [&](std::int32_t piece) { return other.has.contains(piece); });
    if (other.shown.size() >= kAtOnce) continue;
    const auto piece = choose(other);
    if (!piece) continue;
    other.shown.insert(*piece);
    return std::pair{entry.first, core::PieceIndex(*piece)};
  }
  return std::nullopt;
}

}  // namespace tributary::sim
