#include "engine/core/smart_ban.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

void sort_unique(std::vector<BlockSource>& sources) {
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
}

}  // namespace

void BanList::ban(const BlockSource& source, TimePoint now) {
  if (source.kind == BlockSource::Kind::kPeer) ban(source.address, now);
}

void BanList::ban(const IpAddress& address, TimePoint now) {
  std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
  if (until_.size() >= kMaxBans && !until_.contains(address)) {
    until_.erase(std::min_element(until_.begin(), until_.end(), [](const auto& a, const auto& b) {
      return a.second < b.second;
    }));
  }
  until_[address] = now + expiry_;
}

bool BanList::is_banned(const IpAddress& address, TimePoint now) const {
  return banned_until(address, now).has_value();
}

std::optional<TimePoint> BanList::banned_until(const IpAddress& address, TimePoint now) const {
  const auto it = until_.find(address);
  if (it == until_.end() || it->second <= now) return std::nullopt;
  return it->second;
}

std::vector<BlockSource> SmartBan::on_piece_failed(PieceIndex piece,
                                                   std::span<const BlockSource> sources,
                                                   std::span<const Sha256> digests) {
  const BlockSource stored = BlockSource::stored();
  const auto first = std::find_if(sources.begin(), sources.end(),
                                  [&](const BlockSource& s) { return s != stored; });
  TRIBUTARY_CHECK(first != sources.end());
  TRIBUTARY_CHECK(digests.empty() || digests.size() == sources.size());
  const bool alone = std::all_of(first, sources.end(),
                                 [&](const BlockSource& s) { return s == *first || s == stored; });
  const auto known = records_.find(piece);
  if (known != records_.end()) known->second.assigned.reset();
  if (alone) return {*first};

  Record& record = records_[piece];
  record.sequence = next_sequence_++;
  std::vector<Copy>& copies = record.copies;
  if (copies.size() == kMaxCopiesPerPiece) copies.erase(copies.begin());
  copies.push_back({{sources.begin(), sources.end()}, {digests.begin(), digests.end()}});
  make_room();
  return {};
}

std::vector<BlockSource> SmartBan::on_piece_passed(PieceIndex piece,
                                                   std::span<const Sha256> digests) {
  const auto it = records_.find(piece);
  if (it == records_.end()) return {};
  std::vector<BlockSource> guilty;
  for (const Copy& copy : it->second.copies) {
    const std::size_t comparable = std::min(copy.digests.size(), digests.size());
    for (std::size_t i = 0; i < comparable; ++i) {
      if (copy.sources[i].kind == BlockSource::Kind::kStored) continue;
      if (copy.digests[i] != digests[i]) guilty.push_back(copy.sources[i]);
    }
  }
  records_.erase(it);
  sort_unique(guilty);
  return guilty;
}

std::optional<BlockSource> SmartBan::assigned(PieceIndex piece) const {
  const auto it = records_.find(piece);
  return it == records_.end() ? std::nullopt : it->second.assigned;
}

void SmartBan::assign(PieceIndex piece, const BlockSource& source) {
  const auto it = records_.find(piece);
  TRIBUTARY_CHECK(it != records_.end());
  it->second.assigned = source;
}

void SmartBan::unassign(PieceIndex piece) {
  const auto it = records_.find(piece);
  if (it != records_.end()) it->second.assigned.reset();
}

void SmartBan::unassign_all(ConnId conn) {
  for (auto& [piece, record] : records_) {
    const auto& who = record.assigned;
    if (who && who->kind == BlockSource::Kind::kPeer && who->conn == conn) record.assigned.reset();
  }
}

bool SmartBan::is_suspect(PieceIndex piece, const BlockSource& source) const {
  const auto it = records_.find(piece);
  if (it == records_.end()) return false;
  const auto sent = [&](const Copy& copy) {
    return std::find(copy.sources.begin(), copy.sources.end(), source) != copy.sources.end();
  };
  return std::any_of(it->second.copies.begin(), it->second.copies.end(), sent);
}

std::size_t SmartBan::block_count() const {
  std::size_t count = 0;
  for (const auto& [piece, record] : records_) {
    for (const Copy& copy : record.copies) count += copy.sources.size();
  }
  return count;
}

// The piece that failed last stays, however large.
void SmartBan::make_room() {
  while (records_.size() > 1 && (records_.size() > kMaxPieces || block_count() > kMaxBlocks)) {
    records_.erase(std::min_element(
        records_.begin(), records_.end(),
        [](const auto& a, const auto& b) { return a.second.sequence < b.second.sequence; }));
  }
}

}  // namespace tributary::core
