// Performs core::Verify and core::VerifyHashes, on the loop thread when little waits, else on the
// thread pool.
#pragma once

#include <functional>
#include <memory>

#include "engine/base/units.h"
#include "engine/core/events.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/loop.h"
#include "engine/net/torrent_hashes.h"

namespace tributary::net {

struct HasherLimits {
  // As much is hashed on the loop thread, in 0.05 ms with SHA instructions and 0.3 ms without. A
  // worker on a busy machine may not run for milliseconds, in which a start has to wait.
  Bytes max_at_once = 64_KiB;
  // Jobs on the thread pool at once, 1 ... 4 (the pool's threads). Two keep up with 10 Gbit/s and
  // leave threads to the disk.
  int max_workers = 2;
  // Bytes handed to a worker in one job; larger ones would delay urgent blocks behind them.
  Bytes max_batch = 1_MiB;
  // Waiting bytes that are worth waking another worker for while one is at work.
  Bytes worth_another_worker = 256_KiB;
};

// Loop thread only. The jobs of one turn of the loop, or those that arrive while the workers are
// busy, are hashed in batches, so that the cost of changing threads is shared. Answers come on
// later turns of the loop, each job exactly one, in no particular order; none after the hasher is
// destroyed.
class Hasher {
 public:
  struct Events {
    std::function<void(core::Verified, Verdict)> verified;
    std::function<void(core::HashesVerified)> hashes_verified;
  };

  // The pool must outlive the hasher.
  Hasher(Loop& loop, const BufferPool& pool, Events events, HasherLimits limits = {});
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  // Verified::digests come with every whole piece of a v2 torrent; with a v1 piece when it is bad,
  // or good after it was bad, because otherwise they would double the work. Takes shares in the
  // buffers; the core may free the ids at once. A buffer that is missing or of the wrong size makes
  // the outcome bad. REQUIRES: blocks within the torrent; with a leaf one block, without one
  // exactly the blocks of a piece.
  void verify(std::shared_ptr<const TorrentHashes> torrent, const core::Verify& action);
  void verify_hashes(std::shared_ptr<const TorrentHashes> torrent, core::VerifyHashes action);

  // Jobs not answered yet, and the bytes that they hash.
  int pending() const;
  Bytes pending_bytes() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the jobs in flight
};

}  // namespace tributary::net
