// One uplink shared by weight: the order in which blocks are handed to the network.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/choker.h"

namespace tributary::core {

// Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) over whole blocks. The network
// sends what it was handed in equal shares; so only a few blocks are handed out at a time, and who
// gets the next one decides. Over any time two parties that always have something waiting are
// handed bytes in the ratio of their weights, to within a block each. What a party does not use
// goes to the others.
//
// A party whose own line is slow would hold a place for long: once twice the window of others'
// blocks were sent since its own last one, its blocks no longer count, and others get more.
//
// Tracks: each party's virtual finish and blocks under way; how many blocks were sent in all.
class FairShare {
 public:
  struct Party {
    ConnId conn;
    UploadShare share;
  };
  // Blocks under way at once: while one is read from disk, the next is on the wire; with several
  // parties, none waits for another's round trip.
  static constexpr std::int32_t kWindow = 4;

  // From now on these share; those that were there before keep their place. Ids are unique.
  void assign(const std::vector<Party>& parties);
  // Without parties nothing is weighed.
  bool active() const { return !parties_.empty(); }

  // Whose block goes next, of those in `waiting` (in any order); nothing when enough is under way,
  // or none may send yet.
  std::optional<ConnId> next(std::span<const ConnId> waiting, TimePoint now) const;
  // When next() may have another answer without a block sent; kNever: only that.
  TimePoint ready_at(std::span<const ConnId> waiting, TimePoint now) const;
  // A block was handed to the network, and left it or failed. Both ignore who is no party.
  void started(ConnId conn, Bytes length, TimePoint now);
  void ended(ConnId conn);

 private:
  struct Entry {
    Party party;
    std::int64_t finish = 0;     // virtual, of its last block
    std::int32_t under_way = 0;  // blocks
    std::int64_t moved_at = 0;   // `sent_` when it last began or ended one
    TimePoint may_send_at{};     // by its own limit
  };
  bool window_full() const;
  bool stuck(const Entry& e) const { return e.under_way > 0 && sent_ - e.moved_at > 2 * kWindow; }
  Entry* find(ConnId conn);

  std::vector<Entry> parties_;
  std::int64_t virtual_ = 0;  // start of the block handed out last
  std::int64_t sent_ = 0;
};

}  // namespace tributary::core
