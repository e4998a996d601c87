// The blocks that the store holds in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include "engine/base/units.h"
#include "engine/net/payload.h"

namespace tributary::net {

using BlockBytes = std::shared_ptr<const Payload>;

// Which content (a serial number) and which of its blocks.
using MemoryKey = std::pair<std::uint32_t, std::int32_t>;

enum class Hold {
  kWriting,  // on its way to the disk: stays until that has ended
  kSole,  // nowhere else: goes only when copies alone do not make room; first in, first out, since
          // a stream is done with the oldest first, and what was just played is of the least use
  kCopy,  // on disk too: goes first, least recently used first
};

// One thread. Invariants: size() is the sum of the blocks held, writing_size() that of the writing.
class MemoryBlocks {
 public:
  Bytes size() const { return size_; }
  Bytes writing_size() const { return writing_size_; }

  // Null when absent.
  BlockBytes find(MemoryKey key);
  bool contains(MemoryKey key) const { return entries_.contains(key); }
  // REQUIRES: !contains(key).
  void add(MemoryKey key, BlockBytes bytes, Hold hold);
  // No effect when absent. REQUIRES: hold is not kWriting.
  void written(MemoryKey key, Hold hold);
  void erase(MemoryKey key);
  void erase_content(std::uint32_t serial);
  // Removes copies until size() + needed <= limit, and then sole blocks when `sole_too`; calls
  // `lost` for each of those. False when there is no room all the same.
  bool make_room(Bytes needed, Bytes limit, bool sole_too,
                 const std::function<void(MemoryKey)>& lost = {});

 private:
  using Order = std::list<MemoryKey>;  // next to go first
  struct Entry {
    BlockBytes bytes;
    Hold hold = Hold::kCopy;
    Order::iterator place;  // unless writing
  };
  using Entries = std::map<MemoryKey, Entry>;
  Order& order(Hold hold) { return hold == Hold::kSole ? sole_ : copies_; }
  void enter(MemoryKey key, Entry& entry);
  void leave(Entry& entry);
  Entries::iterator remove(Entries::iterator at);

  Entries entries_;
  Order sole_;
  Order copies_;
  Bytes size_;
  Bytes writing_size_;
};

}  // namespace tributary::net
