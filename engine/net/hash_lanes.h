// SHA-256 of many blocks at once, one in each lane of the processor's wide registers: by Intel's
// multi-buffer library (libIPSec_MB), which is loaded when it is first needed. Where it is missing
// blocks are hashed one by one.
#pragma once

#include <memory>
#include <span>

#include "engine/base/digest.h"
#include "engine/wire/octets.h"

namespace tributary::net {

// Fewer are hashed sooner one by one.
inline constexpr std::size_t kFewestLanes = 8;

class HashLanes {
 public:
  // The process's; the first call loads the library, which takes milliseconds and waits for other
  // threads that load one. Null where it is missing, or was when this was built. Any thread.
  static HashLanes* load();

  // Any thread. REQUIRES: out.size() == blocks.size(); no block is empty.
  void sha256(std::span<const wire::Octets> blocks, std::span<Sha256> out);

 private:
  struct Library;
  struct Managers;
  explicit HashLanes(const Library& library);

  std::shared_ptr<Managers> managers_;
};

}  // namespace tributary::net
