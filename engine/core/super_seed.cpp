#include "engine/core/super_seed.h"

#include <algorithm>
#include <utility>

namespace tributary::core {
namespace {

auto is(PieceIndex piece) {
  return [piece](const Upload::Revealed& told) { return told.piece == piece; };
}

}  // namespace

// At another peer; where no other lacks it, at the peer itself.
bool SuperSeed::has_spread(const Peer& from, PieceIndex piece) const {
  bool wanted = false;
  for (const auto& [conn, other] : s_.peers) {
    if (conn == from.conn || !other.announced) continue;
    if (other.has.test(piece.value())) return true;
    wanted = true;
  }
  return !wanted && from.has.test(piece.value());
}

void SuperSeed::forget_spread(Peer& peer) {
  std::erase_if(peer.upload.edit().revealed,
                [&](const Upload::Revealed& told) { return has_spread(peer, told.piece); });
}

// Of those that the peer lacks, one that fewest have and that was shown least often.
PieceIndex SuperSeed::choose(const Peer& peer) {
  PieceIndex best(-1);
  std::pair<std::int32_t, std::int32_t> least{};
  std::uint64_t equals = 0;
  const auto& revealed = peer.upload->revealed;
  for (std::int32_t p = 0; p < s_.layout.piece_count(); ++p) {
    const PieceIndex piece(p);
    if (peer.has.test(p) || std::any_of(revealed.begin(), revealed.end(), is(piece))) continue;
    const std::pair rank{s_.rarity.availability(piece), shown_[static_cast<std::size_t>(p)]};
    if (best.value() >= 0 && rank > least) continue;
    equals = best.value() >= 0 && rank == least ? equals + 1 : 1;
    if (equals > 1 && !random_.chance(1, equals)) continue;
    best = piece;
    least = rank;
  }
  return best;
}

void SuperSeed::reveal(Peer& peer) {
  if (!s_.super_seeding()) return;
  while (peer.upload->revealed.size() < kAtOnce) {
    const PieceIndex piece = choose(peer);
    if (piece.value() < 0) return;
    ++shown_[static_cast<std::size_t>(piece.value())];
    peer.upload.edit().revealed.push_back({piece, 0_B});
    s_.send(peer, Have{piece});
  }
}

void SuperSeed::on_have(PieceIndex piece) {
  if (!s_.super_seeding()) return;
  for (auto& [conn, peer] : s_.peers) {
    auto& revealed = peer.upload.edit().revealed;
    const auto told = std::find_if(revealed.begin(), revealed.end(), is(piece));
    if (told == revealed.end() || !has_spread(peer, piece)) continue;
    revealed.erase(told);
    reveal(peer);
  }
}

bool SuperSeed::has_all_of(Peer& peer, const BlockSpan& sent) {
  if (!s_.super_seeding()) return false;
  auto& revealed = peer.upload.edit().revealed;
  const auto told = std::find_if(revealed.begin(), revealed.end(), is(sent.piece));
  if (told == revealed.end()) return false;
  told->sent += sent.length;
  return told->sent >= s_.layout.piece_range(sent.piece).size();
}

void SuperSeed::on_closed() {
  if (!s_.super_seeding()) return;
  for (auto& [conn, peer] : s_.peers) {
    forget_spread(peer);
    reveal(peer);
  }
}

}  // namespace tributary::core
