#include "player/api/handles.h"

namespace tributary::capi {

Handles& Handles::all() {
  static Handles handles;
  return handles;
}

// Who ends the process with clients open gets no farewell from them: their threads may be in any
// callback, perhaps in the one that ended it.
Handles::~Handles() {
  if (entries_.empty()) return;
  using Entries = std::map<Name, Entry>;
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): the process ends
  [[maybe_unused]] static const auto* const kLeftOpen = new Entries(std::move(entries_));
}

Handles::Name Handles::add(std::shared_ptr<Object> object) {
  const std::lock_guard lock(mutex_);
  const Name name = 2 * ++last_ + 1;
  entries_.emplace(name, Entry{std::move(object)});
  return name;
}

Handles::Use Handles::enter(Name name) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end() || it->second.leaving) return {};
  ++it->second.calls;
  return {this, name, it->second.object};
}

void Handles::leave(Name name) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  if (--it->second.calls == 0 && it->second.leaving) left_.notify_all();
}

std::shared_ptr<Object> Handles::take(Name name) {
  std::unique_lock lock(mutex_);
  const auto it = entries_.find(name);
  if (it == entries_.end() || it->second.leaving) return nullptr;
  it->second.leaving = true;
  lock.unlock();
  it->second.object->interrupt();
  lock.lock();
  left_.wait(lock, [&] { return it->second.calls == 0; });
  std::shared_ptr<Object> object = std::move(it->second.object);
  entries_.erase(it);
  return object;
}

}  // namespace tributary::capi
