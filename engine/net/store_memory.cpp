#include "engine/net/store_memory.h"

#include "engine/base/check.h"

namespace tributary::net {
namespace {

Bytes size_of(const BlockBytes& bytes) { return Bytes(std::ssize(bytes->bytes())); }

}  // namespace

BlockBytes MemoryBlocks::find(MemoryKey key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return nullptr;
  Entry& entry = at->second;
  if (entry.hold == Hold::kCopy) copies_.splice(copies_.end(), copies_, entry.place);
  return entry.bytes;
}

void MemoryBlocks::enter(MemoryKey key, Entry& entry) {
  if (entry.hold == Hold::kWriting) {
    writing_size_ += size_of(entry.bytes);
  } else {
    Order& all = order(entry.hold);
    entry.place = all.insert(all.end(), key);
  }
}

void MemoryBlocks::leave(Entry& entry) {
  if (entry.hold == Hold::kWriting) {
    writing_size_ -= size_of(entry.bytes);
  } else {
    order(entry.hold).erase(entry.place);
  }
}

void MemoryBlocks::add(MemoryKey key, BlockBytes bytes, Hold hold) {
  size_ += size_of(bytes);
  const auto [at, fresh] = entries_.emplace(key, Entry{std::move(bytes), hold, {}});
  TRIBUTARY_CHECK(fresh);
  enter(key, at->second);
}

void MemoryBlocks::written(MemoryKey key, Hold hold) {
  TRIBUTARY_CHECK(hold != Hold::kWriting);
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second.hold != Hold::kWriting) return;
  leave(at->second);
  at->second.hold = hold;
  enter(key, at->second);
}

MemoryBlocks::Entries::iterator MemoryBlocks::remove(Entries::iterator at) {
  size_ -= size_of(at->second.bytes);
  leave(at->second);
  return entries_.erase(at);
}

void MemoryBlocks::erase(MemoryKey key) {
  if (const auto at = entries_.find(key); at != entries_.end()) remove(at);
}

void MemoryBlocks::erase_content(std::uint32_t serial) {
  auto at = entries_.lower_bound({serial, 0});
  while (at != entries_.end() && at->first.first == serial) at = remove(at);
}

bool MemoryBlocks::make_room(Bytes needed, Bytes limit, bool sole_too,
                             const std::function<void(MemoryKey)>& lost) {
  while (size_ + needed > limit && !copies_.empty()) remove(entries_.find(copies_.front()));
  while (sole_too && size_ + needed > limit && !sole_.empty()) {
    const MemoryKey key = sole_.front();
    remove(entries_.find(key));
    lost(key);
  }
  return size_ + needed <= limit;
}

}  // namespace tributary::net
