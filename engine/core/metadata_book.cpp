#include "engine/core/metadata_book.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

std::size_t piece_count(Bytes size) {
  return static_cast<std::size_t>((size + kMetadataPieceSize - 1_B) / kMetadataPieceSize);
}

Bytes length_of(Bytes size, std::int32_t piece) {
  return std::min(kMetadataPieceSize, size - kMetadataPieceSize * piece);
}

std::vector<BlockSource> each_once(std::vector<BlockSource> sources) {
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

template <class Slots>
std::vector<BlockSource> sources_of(const Slots& slots) {
  std::vector<BlockSource> sources;
  for (const auto& slot : slots) sources.push_back(slot.sender);
  return each_once(std::move(sources));
}

}  // namespace

void MetadataBook::clear(Claim& claim) {
  for (Slot& slot : claim.slots) slot = {};
  claim.missing = claim.slots.size();
  claim.judged = false;
}

void MetadataBook::claim(ConnId peer, const Endpoint& remote, Bytes size) {
  TRIBUTARY_CHECK(size > 0_B && size <= kMaxMetadataSize);
  const auto known = peers_.find(peer);
  if (known != peers_.end()) {
    if (known->second.size == size) return;
    forget(peer);
  }
  peers_[peer] = {BlockSource::peer(peer, remote), size, {}, {}};
  claims_.try_emplace(size);
}

void MetadataBook::forget(ConnId peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  const Bytes size = it->second.size;
  peers_.erase(it);
  Claim& claim = claims_.at(size);
  if (claim.holder == peer) claim.holder.reset();
  drop_unclaimed(size);
}

// What nobody claims any more is only in the way; but a verdict is still to come.
void MetadataBook::drop_unclaimed(Bytes size) {
  if (count(size) == 0 && !claims_.at(size).judged) claims_.erase(size);
}

std::size_t MetadataBook::count(Bytes size) const {
  return static_cast<std::size_t>(std::count_if(
      peers_.begin(), peers_.end(), [&](const auto& entry) { return entry.second.size == size; }));
}

// The sizes that are worked on: what most peers claim first, the smaller of equals.
std::vector<Bytes> MetadataBook::active() const {
  std::vector<std::pair<std::int64_t, Bytes>> order;
  for (const auto& [size, claim] : claims_) {
    order.emplace_back(-static_cast<std::int64_t>(count(size)), size);
  }
  std::sort(order.begin(), order.end());
  std::vector<Bytes> sizes;
  Bytes sum;
  for (const auto& [votes, size] : order) {
    sum += size;
    if (sizes.size() == kMaxMetadataSizes || sum > kMaxMetadataUnderWay) break;
    sizes.push_back(size);
  }
  return sizes;
}

// Of an exclusive dictionary one peer at a time: one that did not fail to deliver it, if there is
// one. What others sent of it is dropped.
bool MetadataBook::may_serve(Claim& claim, ConnId peer) {
  if (!claim.exclusive || claim.holder == peer) return true;
  if (claim.holder) return false;
  const bool excused =
      std::find(claim.excused.begin(), claim.excused.end(), peer) != claim.excused.end();
  if (excused && claim.excused.size() < count(peers_.at(peer).size)) return false;
  if (excused) claim.excused.clear();
  claim.holder = peer;
  clear(claim);
  return true;
}

bool MetadataBook::asked_of_others(Bytes size, std::int32_t piece, TimePoint now) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const Peer& peer = entry.second;
    return peer.size == size && std::any_of(peer.asked.begin(), peer.asked.end(), [&](Asked a) {
             return a.piece == piece && now < a.at + kMetadataHedge;
           });
  });
}

std::optional<std::int32_t> MetadataBook::next_request(ConnId id, TimePoint now) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return std::nullopt;
  Peer& peer = it->second;
  if (peer.rests_until > now || peer.asked.size() >= kMetadataPipeline) return std::nullopt;
  const std::vector<Bytes> sizes = active();
  if (std::find(sizes.begin(), sizes.end(), peer.size) == sizes.end()) return std::nullopt;
  Claim& claim = claims_.at(peer.size);
  if (claim.judged || !may_serve(claim, id)) return std::nullopt;
  if (claim.slots.empty()) {
    claim.slots.resize(piece_count(peer.size));
    clear(claim);
  }
  for (std::size_t i = 0; i < claim.slots.size(); ++i) {
    const auto piece = static_cast<std::int32_t>(i);
    const bool mine = std::any_of(peer.asked.begin(), peer.asked.end(),
                                  [&](Asked a) { return a.piece == piece; });
    if (mine || !claim.slots[i].bytes.empty()) continue;
    if (asked_of_others(peer.size, piece, now)) continue;
    peer.asked.push_back({piece, now});
    return piece;
  }
  return std::nullopt;
}

bool MetadataBook::on_data(ConnId id, const MetadataData& data) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return true;
  Peer& peer = it->second;
  const auto asked = std::find_if(peer.asked.begin(), peer.asked.end(),
                                  [&](Asked a) { return a.piece == data.piece; });
  if (asked == peer.asked.end()) return true;
  peer.asked.erase(asked);
  if (data.total_size != peer.size ||
      std::ssize(data.bytes) != length_of(peer.size, data.piece).count()) {
    return false;
  }
  Claim& claim = claims_.at(peer.size);
  Slot& slot = claim.slots.at(static_cast<std::size_t>(data.piece));
  const bool useful = slot.bytes.empty() && !claim.judged;
  if (!useful || (claim.exclusive && claim.holder != id)) return true;  // late, another was faster
  slot = {data.bytes, peer.source};
  --claim.missing;
  return true;
}

void MetadataBook::give_up(Peer& peer, ConnId id, TimePoint now) {
  peer.rests_until = now + kMetadataRest;
  Claim& claim = claims_.at(peer.size);
  if (claim.holder != id) return;
  claim.holder.reset();
  claim.excused.push_back(id);
}

void MetadataBook::on_reject(ConnId id, std::int32_t piece, TimePoint now) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return;
  const auto n = std::erase_if(it->second.asked, [&](Asked a) { return a.piece == piece; });
  if (n > 0) give_up(it->second, id, now);
}

void MetadataBook::on_time(TimePoint now) {
  for (auto& [id, peer] : peers_) {
    const auto n =
        std::erase_if(peer.asked, [&](Asked a) { return a.at + kMetadataTimeout <= now; });
    if (n > 0) give_up(peer, id, now);
  }
}

TimePoint MetadataBook::next_deadline() const {
  TimePoint next = kNever;
  for (const auto& [id, peer] : peers_) {
    for (const Asked& asked : peer.asked) {
      next = std::min(next, asked.at + kMetadataTimeout);
    }
  }
  return next;
}

std::optional<std::vector<std::uint8_t>> MetadataBook::take_whole() {
  const bool one_waits = std::any_of(claims_.begin(), claims_.end(),
                                     [](const auto& entry) { return entry.second.judged; });
  if (one_waits) return std::nullopt;
  for (auto& [size, claim] : claims_) {
    if (claim.slots.empty() || claim.missing > 0) continue;
    claim.judged = true;
    std::vector<std::uint8_t> whole;
    whole.reserve(static_cast<std::size_t>(size.count()));
    for (const Slot& slot : claim.slots) {
      whole.insert(whole.end(), slot.bytes.begin(), slot.bytes.end());
    }
    return whole;
  }
  return std::nullopt;
}

std::vector<BlockSource> MetadataBook::on_verdict(bool good) {
  const auto it = std::find_if(claims_.begin(), claims_.end(),
                               [](const auto& entry) { return entry.second.judged; });
  TRIBUTARY_CHECK(it != claims_.end());
  const Bytes size = it->first;
  Claim& claim = it->second;
  std::vector<BlockSource> guilty;
  const std::vector<BlockSource> senders = sources_of(claim.slots);
  if (good) {
    senders_ = senders;
    for (std::size_t i = 0; i < claim.wrong.size(); ++i) {
      if (claim.wrong[i].bytes != claim.slots[i].bytes) guilty.push_back(claim.wrong[i].sender);
    }
    claim.judged = false;
    return each_once(std::move(guilty));
  }
  if (senders.size() == 1) {
    guilty = senders;
  } else {
    claim.exclusive = true;
    claim.wrong = claim.slots;
  }
  claim.holder.reset();
  clear(claim);
  drop_unclaimed(size);
  return guilty;
}

Bytes MetadataBook::size() const {
  const std::vector<Bytes> sizes = active();
  return sizes.empty() ? 0_B : sizes.front();
}

Bytes MetadataBook::received() const {
  const std::vector<Bytes> sizes = active();
  if (sizes.empty()) return 0_B;
  const Claim& claim = claims_.at(sizes.front());
  Bytes sum;
  for (const Slot& slot : claim.slots) sum += Bytes(std::ssize(slot.bytes));
  return sum;
}

}  // namespace tributary::core
