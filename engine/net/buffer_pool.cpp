#include "engine/net/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/base/check.h"

namespace tributary::net {
namespace internal {

struct Slab;

struct Block {
  std::atomic<std::uint32_t> shares{1};
  std::uint32_t size = 0;
  Slab* slab = nullptr;
  std::uint8_t* bytes = nullptr;
};

// What is little is taken a few blocks at a time. What is much, by huge pages: the system hands one
// out in the time of two small ones, of which a block needs four.
constexpr std::size_t kSmallSlab = 16;
constexpr std::size_t kHugeSlab = 128;
constexpr std::size_t kHugePage = kHugeSlab * core::kBlockSize.count();

// Blocks that lie beside each other. The system's memory is used up to where it was ever written.
struct Slab {
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };

  Slab(BlockStore& owner, std::size_t place, std::size_t count)
      : store(owner), index(place), blocks(new Block[count]), size(count) {
    const std::size_t bytes = count * core::kBlockSize.count();
    const std::size_t alignment = count == kHugeSlab ? kHugePage : core::kBlockSize.count();
    memory.reset(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, bytes)));
    TRIBUTARY_CHECK(memory != nullptr);  // the system gives none: ended, as where new fails
    // A wish; without it the blocks are as good.
    if (count == kHugeSlab) static_cast<void>(madvise(memory.get(), bytes, MADV_HUGEPAGE));
    for (std::size_t i = count; i-- > 0;) {
      blocks[i].slab = this;
      blocks[i].bytes = memory.get() + i * core::kBlockSize.count();
      idle.push_back(&blocks[i]);
    }
  }

  bool is_idle() const { return idle.size() == size; }

  BlockStore& store;
  const std::size_t index;  // in the store's slabs
  const std::unique_ptr<Block[]> blocks;
  const std::size_t size;
  std::unique_ptr<std::uint8_t, Free> memory;
  std::vector<Block*> idle;
};

// The memory behind a pool. It lives until the pool is gone and the last share is dropped, so that
// a worker may outlast the pool.
struct BlockStore {
  std::mutex mutex;                          // guards all below
  std::vector<std::unique_ptr<Slab>> slabs;  // null: given back
  std::size_t first_open = 0;                // all slabs before it are in use wholly
  std::size_t total = 0;                     // blocks in slabs
  std::size_t max_idle = 0;
  std::int32_t in_use = 0;
  std::int64_t bytes_in_use = 0;
  bool abandoned = false;  // the pool is gone

  Block* take(std::uint32_t size) {
    const std::lock_guard lock(mutex);
    std::vector<Block*>& idle = open_slab().idle;
    Block* const block = idle.back();
    idle.pop_back();
    ++in_use;
    bytes_in_use += size;
    block->shares.store(1, std::memory_order_relaxed);
    block->size = size;
    return block;
  }

  void give_back(Block* block) {
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      --in_use;
      bytes_in_use -= block->size;
      Slab& slab = *block->slab;
      slab.idle.push_back(block);
      first_open = std::min(first_open, slab.index);
      const std::size_t idle = total - static_cast<std::size_t>(in_use);
      if (slab.is_idle() && idle >= max_idle + slab.size) remove(slab);
      last = abandoned && in_use == 0;
    }
    if (last) delete this;
  }

  void abandon() {
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      abandoned = true;
      max_idle = 0;
      for (const auto& slab : slabs) {
        if (slab && slab->is_idle()) remove(*slab);
      }
      last = in_use == 0;
    }
    if (last) delete this;
  }

 private:
  // The first with an idle block, so that those at the end fall idle wholly.
  Slab& open_slab() {
    const auto open =
        std::find_if(slabs.begin() + static_cast<std::ptrdiff_t>(first_open), slabs.end(),
                     [](const auto& s) { return s && !s->idle.empty(); });
    first_open = static_cast<std::size_t>(open - slabs.begin());
    return open == slabs.end() ? add_slab() : **open;
  }

  Slab& add_slab() {
    const auto hole = std::find(slabs.begin(), slabs.end(), nullptr);
    const auto index = static_cast<std::size_t>(hole - slabs.begin());
    auto slab = std::make_unique<Slab>(*this, index, total < kHugeSlab ? kSmallSlab : kHugeSlab);
    total += slab->size;
    first_open = index;
    if (hole == slabs.end()) slabs.emplace_back();
    return *(slabs[index] = std::move(slab));
  }

  void remove(const Slab& slab) {
    total -= slab.size;
    slabs[slab.index].reset();
  }
};

void drop(Block* block) {
  if (block && block->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block->slab->store.give_back(block);
  }
}

}  // namespace internal

using internal::Block;

namespace {

// An id is a serial number over a slot number, so that it is found without hashing and a slot that
// is used again gets another id. 44 bits of serial outlast any session.
constexpr int kSlotBits = 20;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

}  // namespace

BufferRef::BufferRef(const BufferRef& other) : block_(other.block_) {
  if (block_) block_->shares.fetch_add(1, std::memory_order_relaxed);
}
BufferRef::BufferRef(BufferRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
BufferRef& BufferRef::operator=(BufferRef other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}
BufferRef::~BufferRef() { internal::drop(block_); }

std::span<const std::uint8_t> BufferRef::bytes() const {
  if (!block_) return {};
  return {block_->bytes, block_->size};
}

BufferPool::BufferPool(BufferLimits limits) : limits_(limits), store_(new internal::BlockStore) {
  TRIBUTARY_CHECK(limits.max_buffers > 0 && limits.max_buffers <= std::int32_t{1} << kSlotBits);
  TRIBUTARY_CHECK(limits.max_idle >= 0);
  store_->max_idle = static_cast<std::size_t>(limits.max_idle);
}

BufferPool::~BufferPool() {
  for (Slot& slot : slots_) internal::drop(slot.block);
  store_->abandon();
}

core::BufferId BufferPool::allocate(Bytes size) {
  TRIBUTARY_CHECK(size >= 0_B && size <= core::kBlockSize);
  if (full()) return core::kNoBuffer;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.id = ++last_serial_ << kSlotBits | index;
  slot.block = store_->take(static_cast<std::uint32_t>(size.count()));
  return core::BufferId(slot.id);
}

core::BufferId BufferPool::copy(std::span<const std::uint8_t> bytes) {
  const core::BufferId id = allocate(Bytes(static_cast<std::int64_t>(bytes.size())));
  if (id != core::kNoBuffer) std::copy(bytes.begin(), bytes.end(), data(id).begin());
  return id;
}

Block* BufferPool::find(core::BufferId id) const {
  const std::size_t index = id.value() & kSlotMask;
  if (index >= slots_.size() || slots_[index].id != id.value()) return nullptr;
  return slots_[index].block;
}

std::span<std::uint8_t> BufferPool::data(core::BufferId id) {
  Block* block = find(id);
  TRIBUTARY_CHECK(block);
  return {block->bytes, block->size};
}

std::span<const std::uint8_t> BufferPool::data(core::BufferId id) const {
  const Block* block = find(id);
  TRIBUTARY_CHECK(block);
  return {block->bytes, block->size};
}

BufferRef BufferPool::share(core::BufferId id) const {
  Block* block = find(id);
  TRIBUTARY_CHECK(block);
  block->shares.fetch_add(1, std::memory_order_relaxed);
  return BufferRef(block);
}

void BufferPool::release(core::BufferId id) {
  Block* block = find(id);
  TRIBUTARY_CHECK(block);
  const auto index = static_cast<std::uint32_t>(id.value() & kSlotMask);
  slots_[index] = {};
  free_slots_.push_back(index);
  internal::drop(block);
}

std::int32_t BufferPool::in_use() const {
  const std::lock_guard lock(store_->mutex);
  return store_->in_use;
}

Bytes BufferPool::reserved() const {
  const std::lock_guard lock(store_->mutex);
  return core::kBlockSize * static_cast<std::int64_t>(store_->total);
}

Bytes BufferPool::bytes_in_use() const {
  const std::lock_guard lock(store_->mutex);
  return Bytes(store_->bytes_in_use);
}

}  // namespace tributary::net
