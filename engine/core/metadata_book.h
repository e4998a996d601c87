// The info dictionary on its way from peers (BEP 9): who is asked for which piece of it, and who is
// to blame when the whole is wrong.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/message.h"
#include "engine/core/smart_ban.h"

namespace tributary::core {

// Of an info dictionary: as much as a whole .torrent may have (wire::kMaxMetainfoSize).
inline constexpr Bytes kMaxMetadataSize = 64_MiB;
// Over all sizes that are being fetched at once: memory that liars can fill.
inline constexpr Bytes kMaxMetadataUnderWay = 2 * kMaxMetadataSize;
// Sizes that are being fetched at once: each liar may name one of his own.
inline constexpr std::size_t kMaxMetadataSizes = 8;
// Requests to one peer; libtorrent makes as many.
inline constexpr std::size_t kMetadataPipeline = 3;
// A piece that has not come after so long is asked of a second peer as well,
inline constexpr Duration kMetadataHedge = 2s;
// and after so long no longer expected of the first,
inline constexpr Duration kMetadataTimeout = 10s;
// who is not asked again for so long; nor is one who rejects (BEP 9: it may lack it as yet).
inline constexpr Duration kMetadataRest = 15s;

// Tracks, for each size that some peer claims, the pieces that came and their senders; and for each
// peer its claim and what it owes. Peers of different claims never share a dictionary, so that a
// lying claim spoils none but its own.
//
// A whole that is wrong and had one sender names him; one that had several is fetched anew from one
// peer at a time, until one passes or fails by itself, and then shows who had sent other bytes.
class MetadataBook {
 public:
  // The peer has the dictionary, of this size; a later claim replaces the former.
  // REQUIRES: 0 < size <= kMaxMetadataSize.
  void claim(ConnId peer, const Endpoint& remote, Bytes size);
  void forget(ConnId peer);

  // What to ask of the peer next, if anything; it counts as asked from then on.
  std::optional<std::int32_t> next_request(ConnId peer, TimePoint now);
  // False when it contradicts the peer's claim. What was not asked for, or too long ago, is
  // ignored.
  bool on_data(ConnId peer, const MetadataData& data);
  void on_reject(ConnId peer, std::int32_t piece, TimePoint now);
  // Gives up what is overdue. Call at next_deadline().
  void on_time(TimePoint now);
  TimePoint next_deadline() const;

  // A dictionary that became whole and awaits its verdict; nothing when there is none, or one waits
  // already. Its pieces are not asked for meanwhile.
  std::optional<std::vector<std::uint8_t>> take_whole();
  // The verdict on it: the senders who lied, as far as it shows. REQUIRES: one was taken.
  std::vector<BlockSource> on_verdict(bool good);

  bool claims(ConnId peer) const { return peers_.contains(peer); }
  // Who sent pieces of it. REQUIRES: a good verdict.
  const std::vector<BlockSource>& senders() const { return senders_; }
  // Peers that claim to have it, the most common size, and how much of that came.
  std::size_t claimants() const { return peers_.size(); }
  Bytes size() const;
  Bytes received() const;

 private:
  struct Slot {
    std::vector<std::uint8_t> bytes;  // empty: missing
    BlockSource sender;
  };
  struct Claim {
    std::vector<Slot> slots;
    std::size_t missing = 0;
    bool judged = false;           // taken, without a verdict as yet
    bool exclusive = false;        // must come from one peer
    std::optional<ConnId> holder;  // that peer
    std::vector<Slot> wrong;       // the copy that failed
    std::vector<ConnId> excused;   // who held it and did not deliver
  };
  struct Asked {
    std::int32_t piece;
    TimePoint at;
  };
  struct Peer {
    BlockSource source;
    Bytes size;
    std::vector<Asked> asked;
    TimePoint rests_until{};
  };

  static void clear(Claim& claim);
  std::vector<Bytes> active() const;
  std::size_t count(Bytes size) const;
  bool may_serve(Claim& claim, ConnId peer);
  bool asked_of_others(Bytes size, std::int32_t piece, TimePoint now) const;
  void give_up(Peer& peer, ConnId id, TimePoint now);
  void drop_unclaimed(Bytes size);

  std::map<Bytes, Claim> claims_;
  std::map<ConnId, Peer> peers_;
  std::vector<BlockSource> senders_;
};

}  // namespace tributary::core
