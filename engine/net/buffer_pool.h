// Payload buffers behind core::BufferId: blocks of 16 KiB, recycled and counted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::net {

class BufferPool;

namespace internal {
struct Block;
struct BlockStore;
}  // namespace internal

// A share in one buffer's bytes. They stay valid and unmoved while any share exists, also after the
// pool released the id and after the pool itself is gone; workers hold one while they read.
// Copying and destroying are safe on any thread; one BufferRef object belongs to one thread.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(const BufferRef& other);
  BufferRef(BufferRef&& other) noexcept;
  BufferRef& operator=(BufferRef other) noexcept;
  ~BufferRef();

  explicit operator bool() const { return block_ != nullptr; }
  // Empty for a null share.
  std::span<const std::uint8_t> bytes() const;

 private:
  friend class BufferPool;
  explicit BufferRef(internal::Block* block) : block_(block) {}
  internal::Block* block_ = nullptr;
};

struct BufferLimits {
  // 256 MiB of payload: a hundred peers with 2 s of work each, what waits for disk and hash, and
  // the 64 MiB that the store keeps in memory.
  std::int32_t max_buffers = 16 * 1024;
  // Freed blocks kept for reuse: 16 MiB, one busy second at 130 Mbit/s. Memory is given back by
  // runs of up to 128 blocks none of which is in use.
  std::int32_t max_idle = 1024;
};

// Loop thread only, apart from the shares it hands out. Tracks the live ids; an id is never reused.
// Invariant: in_use() counts each id and each share that outlives its id once, and is never above
// max_buffers.
class BufferPool {
 public:
  explicit BufferPool(BufferLimits limits = {});
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A buffer of `size` bytes with unspecified content; kNoBuffer when max_buffers are in use (wait
  // for a release and try again). REQUIRES: 0 <= size <= core::kBlockSize.
  core::BufferId allocate(Bytes size);
  // The same, filled with a copy.
  core::BufferId copy(std::span<const std::uint8_t> bytes);

  bool contains(core::BufferId id) const { return find(id) != nullptr; }
  // REQUIRES for each: contains(id).
  std::span<std::uint8_t> data(core::BufferId id);  // write before sharing only
  std::span<const std::uint8_t> data(core::BufferId id) const;
  BufferRef share(core::BufferId id) const;
  void release(core::BufferId id);

  bool full() const { return headroom() <= 0; }
  std::int32_t headroom() const { return limits_.max_buffers - in_use(); }
  std::int32_t in_use() const;
  Bytes bytes_in_use() const;  // payload sizes, not capacity
  Bytes reserved() const;      // memory of the system, in use or kept
  const BufferLimits& limits() const { return limits_; }

 private:
  struct Slot {
    std::uint64_t id = 0;
    internal::Block* block = nullptr;
  };
  internal::Block* find(core::BufferId id) const;

  BufferLimits limits_;
  internal::BlockStore* store_;  // shared with the blocks; see buffer_pool.cpp
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t last_serial_ = 0;
};

}  // namespace tributary::net
