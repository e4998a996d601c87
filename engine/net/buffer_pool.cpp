#include "engine/net/buffer_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/base/check.h"

namespace tributary::net {
namespace internal {

struct Block {
  std::atomic<std::uint32_t> shares{1};
  std::uint32_t size = 0;
  BlockStore* store = nullptr;
  alignas(64) std::uint8_t bytes[core::kBlockSize.count()];
};

// The memory behind a pool. It lives until the pool is gone and the last share is dropped, so that
// a worker may outlast the pool.
struct BlockStore {
  std::mutex mutex;  // guards all below
  std::vector<std::unique_ptr<Block>> idle;
  std::size_t max_idle = 0;
  std::int32_t in_use = 0;
  std::int64_t bytes_in_use = 0;
  bool abandoned = false;  // the pool is gone

  Block* take(std::uint32_t size) {
    std::unique_ptr<Block> block;
    {
      const std::lock_guard lock(mutex);
      ++in_use;
      bytes_in_use += size;
      if (!idle.empty()) {
        block = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!block) block.reset(new Block);  // not make_unique: it would clear the bytes
    block->shares.store(1, std::memory_order_relaxed);
    block->size = size;
    block->store = this;
    return block.release();
  }

  void give_back(Block* block) {
    std::unique_ptr<Block> owned(block);
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      --in_use;
      bytes_in_use -= block->size;
      if (!abandoned && idle.size() < max_idle) idle.push_back(std::move(owned));
      last = abandoned && in_use == 0;
    }
    if (last) delete this;
  }

  void abandon() {
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      abandoned = true;
      idle.clear();
      last = in_use == 0;
    }
    if (last) delete this;
  }
};

void drop(Block* block) {
  if (block && block->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block->store->give_back(block);
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

Bytes BufferPool::bytes_in_use() const {
  const std::lock_guard lock(store_->mutex);
  return Bytes(store_->bytes_in_use);
}

}  // namespace tributary::net
