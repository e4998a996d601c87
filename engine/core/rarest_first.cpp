#include "engine/core/rarest_first.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {

void RarestFirst::make_arrays() {
  const auto pieces = static_cast<std::size_t>(pieces_);
  available_.resize(pieces);
  order_.resize(pieces);
  position_.resize(pieces);
  bucket_end_ = {pieces};
  std::iota(order_.begin(), order_.end(), 0);
  std::iota(position_.begin(), position_.end(), 0);
}

void RarestFirst::move(std::size_t from, std::size_t to) {
  std::swap(order_[from], order_[to]);
  position_[static_cast<std::size_t>(order_[from])] = static_cast<std::int32_t>(from);
  position_[static_cast<std::size_t>(order_[to])] = static_cast<std::int32_t>(to);
}

void RarestFirst::add_have(PieceIndex piece) {
  if (available_.empty()) make_arrays();
  const auto p = static_cast<std::size_t>(piece.value());
  const auto a = static_cast<std::size_t>(available_[p]++);
  if (a + 1 == bucket_end_.size()) bucket_end_.push_back(bucket_end_.back());
  move(static_cast<std::size_t>(position_[p]), --bucket_end_[a]);
}

void RarestFirst::remove_have(PieceIndex piece) {
  const auto p = static_cast<std::size_t>(piece.value());
  TRIBUTARY_CHECK(!available_.empty() && available_[p] > 0);
  const auto a = static_cast<std::size_t>(--available_[p]);
  move(static_cast<std::size_t>(position_[p]), bucket_end_[a]++);
}

void RarestFirst::add_peer(const Bitfield& has, bool as_seed) {
  if (as_seed) {
    ++seeds_;
    return;
  }
  for (int i = has.find_next(0); i != Bitfield::kNone; i = has.find_next(i + 1)) {
    add_have(PieceIndex(i));
  }
}

void RarestFirst::remove_peer(const Bitfield& has, bool as_seed) {
  if (as_seed) {
    TRIBUTARY_CHECK(seeds_ > 0);
    --seeds_;
    return;
  }
  for (int i = has.find_next(0); i != Bitfield::kNone; i = has.find_next(i + 1)) {
    remove_have(PieceIndex(i));
  }
}

PieceIndex RarestFirst::pick(const Bitfield& open, const Bitfield& has, PieceIndex begin,
                             PieceIndex end, Random& random) const {
  int looks = 0;
  std::size_t bucket_begin = 0;
  const auto all = static_cast<std::size_t>(pieces_);
  const auto ends = order_.empty() ? std::span(&all, 1) : std::span(bucket_end_);
  // Pieces that only complete peers have are of no use with a peer that is not complete.
  const std::size_t skipped = has.all() ? 0 : ends.front();
  for (std::size_t bucket_end : ends) {
    bucket_begin = std::max(bucket_begin, skipped);
    if (bucket_end <= bucket_begin) continue;
    const std::size_t size = bucket_end - bucket_begin;
    std::size_t place = bucket_begin + random.below(size);
    for (std::size_t i = 0; i < size && looks < kMaxLooks; ++i, ++looks) {
      const PieceIndex piece(ordered(place));
      if (++place == bucket_end) place = bucket_begin;
      if (piece < begin || piece >= end) continue;
      if (open.test(piece.value()) && has.test(piece.value())) return piece;
    }
    if (looks >= kMaxLooks) break;
    bucket_begin = bucket_end;
  }
  if (begin >= end) return PieceIndex(-1);
  const auto start = static_cast<int>(random.below(static_cast<std::uint64_t>(end - begin)));
  const int from = begin.value() + start;
  int found = open.find_next_common(has, from, end.value());
  if (found == Bitfield::kNone) found = open.find_next_common(has, begin.value(), from);
  return PieceIndex(found);
}

}  // namespace tributary::core
