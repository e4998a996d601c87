// Who is to blame for a piece that failed its hash: never all that had a hand in it, only those
// whose blocks turn out to differ from the good ones.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::core {

// An IP address as in Endpoint, without the port.
using IpAddress = std::array<std::uint8_t, 16>;

// Who delivered a block.
struct BlockSource {
  // kStored: it is verified already, so nobody is to blame for it.
  enum class Kind { kPeer, kCdn, kStored };

  Kind kind = Kind::kPeer;
  ConnId conn;          // of a peer; it may be gone by the time of the verdict
  IpAddress address{};  // of a peer; zero for the CDN

  static BlockSource peer(ConnId conn, const Endpoint& remote) {
    return {Kind::kPeer, conn, remote.address};
  }
  static BlockSource cdn() { return {Kind::kCdn, ConnId(), {}}; }
  static BlockSource stored() { return {Kind::kStored, ConnId(), {}}; }
  friend auto operator<=>(const BlockSource&, const BlockSource&) = default;
};

// Addresses we do not talk to for a while. One list serves all torrents of a node.
class BanList {
 public:
  // 1024 bans of 40 bytes; beyond it the one that ends first is dropped.
  static constexpr std::size_t kMaxBans = 1024;
  // An address may change hands, and a poisoner comes back no faster than this.
  static constexpr Duration kDefaultExpiry = std::chrono::hours(1);

  explicit BanList(Duration expiry = kDefaultExpiry) : expiry_(expiry) {}

  // Bans the source's address from now on; the CDN cannot be banned here and is ignored.
  void ban(const BlockSource& source, TimePoint now);
  void ban(const IpAddress& address, TimePoint now);
  bool is_banned(const IpAddress& address, TimePoint now) const;
  bool is_banned(const Endpoint& remote, TimePoint now) const {
    return is_banned(remote.address, now);
  }
  // When the ban ends; nullopt when there is none.
  std::optional<TimePoint> banned_until(const IpAddress& address, TimePoint now) const;
  std::size_t size() const { return until_.size(); }  // ended ones may be counted

 private:
  Duration expiry_;
  std::map<IpAddress, TimePoint> until_;
};

// Tracks, per piece that failed: who sent each block of each failed copy and its digest, until the
// piece passes; and which source must deliver the whole piece meanwhile (the piece is exclusive).
// Every failure either names a guilty source or makes the piece exclusive, and an exclusive piece
// that fails has one sender: so a piece fails at most once more for each poisoner.
//
// Only hash failures come in here. Blocks that were lost from disk or cache (BlocksLost) are none
// and blame nobody; tell forget() only when the piece is no longer wanted.
class SmartBan {
 public:
  // 64 pieces x 3 copies; a copy of a 4 MiB piece (256 blocks) is 16 kB. Beyond either limit the
  // oldest is forgotten: its senders go free, which is better than to ban on a guess.
  static constexpr std::size_t kMaxPieces = 64;
  static constexpr std::size_t kMaxCopiesPerPiece = 3;
  // Blocks remembered over all copies, 64 bytes each: 1 MiB. A single larger piece is kept whole.
  static constexpr std::size_t kMaxBlocks = 16 * 1024;

  // The piece failed as a whole; block i of it came from sources[i] and had digests[i]. `digests`
  // is empty when the host could not tell them: then only exclusivity helps. Returns the guilty,
  // who are known at once when all blocks had one sender; otherwise none, and the piece becomes
  // exclusive. REQUIRES: some source is not stored(); digests empty or of the same size.
  std::vector<BlockSource> on_piece_failed(PieceIndex piece, std::span<const BlockSource> sources,
                                           std::span<const Sha256> digests);
  // The piece passed with these block digests. Returns the senders of blocks that differed in any
  // failed copy, sorted, each once; the others are cleared. The record is dropped.
  // An empty `digests` clears everybody.
  std::vector<BlockSource> on_piece_passed(PieceIndex piece, std::span<const Sha256> digests);
  // The piece is no longer wanted.
  void forget(PieceIndex piece) { records_.erase(piece); }

  // Whether the whole piece must come from a single source.
  bool is_exclusive(PieceIndex piece) const { return records_.contains(piece); }
  // The source that was given the exclusive piece, if any.
  std::optional<BlockSource> assigned(PieceIndex piece) const;
  // Gives the exclusive piece to a source. Blocks of it that others sent and that are not verified
  // must be dropped first. REQUIRES: is_exclusive(piece).
  void assign(PieceIndex piece, const BlockSource& source);
  // The source cannot go on with it (choked us, closed, too slow): someone else may be assigned.
  void unassign(PieceIndex piece);
  // The same for all pieces of a connection that closed.
  void unassign_all(ConnId conn);
  // Whether the source is among those who sent part of a failed copy: prefer another for the retry.
  bool is_suspect(PieceIndex piece, const BlockSource& source) const;

  std::size_t piece_count() const { return records_.size(); }
  std::size_t block_count() const;

 private:
  struct Copy {
    std::vector<BlockSource> sources;
    std::vector<Sha256> digests;
  };
  struct Record {
    std::uint64_t sequence = 0;  // of its latest failure
    std::optional<BlockSource> assigned;
    std::vector<Copy> copies;  // oldest first
  };

  void make_room();

  std::uint64_t next_sequence_ = 0;
  std::map<PieceIndex, Record> records_;
};

}  // namespace tributary::core
