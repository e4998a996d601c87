// The ledger: every payload byte by source, reason and fate, for each file of a torrent.
#pragma once

#include <array>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/cdn_reason.h"
#include "engine/core/ids.h"

namespace tributary::core {

// Bytes by why the CDN was asked for them.
struct ReasonBytes {
  std::array<Bytes, kCdnReasons.size()> by_reason{};

  Bytes& operator[](CdnReason reason) { return by_reason[static_cast<std::size_t>(reason)]; }
  const Bytes& operator[](CdnReason reason) const {
    return by_reason[static_cast<std::size_t>(reason)];
  }
  Bytes total() const {
    Bytes sum;
    for (Bytes b : by_reason) sum += b;
    return sum;
  }
  ReasonBytes& operator+=(const ReasonBytes& other) {
    for (std::size_t i = 0; i < by_reason.size(); ++i) by_reason[i] += other.by_reason[i];
    return *this;
  }
  ReasonBytes& operator-=(const ReasonBytes& other) {
    for (std::size_t i = 0; i < by_reason.size(); ++i) by_reason[i] -= other.by_reason[i];
    return *this;
  }
};

// Invariant, once nothing is in flight: cdn() + peers = good + duplicate + corrupt.
struct ByteCounts {
  ReasonBytes cdn_by_reason;  // whole blocks from the CDN
  Bytes peers;                // whole blocks from peers
  Bytes cache;                // blocks that were there when the torrent was opened
  Bytes uploaded;             // payload sent to peers
  Bytes good;                 // received and verified, or nothing to verify against
  Bytes duplicate;            // received although another source had delivered the block
  Bytes corrupt;              // received and found wrong
  // What the CDN sent of these two.
  ReasonBytes cdn_duplicate;
  ReasonBytes cdn_corrupt;
  std::int64_t cdn_requests = 0;

  Bytes cdn() const { return cdn_by_reason.total(); }
  ByteCounts& operator+=(const ByteCounts& other) {
    cdn_by_reason += other.cdn_by_reason;
    peers += other.peers;
    cache += other.cache;
    uploaded += other.uploaded;
    good += other.good;
    duplicate += other.duplicate;
    corrupt += other.corrupt;
    cdn_duplicate += other.cdn_duplicate;
    cdn_corrupt += other.cdn_corrupt;
    cdn_requests += other.cdn_requests;
    return *this;
  }
};

class Ledger {
 public:
  explicit Ledger(std::size_t files) : files_(files) {}
  ByteCounts& at(FileIndex file) { return files_[static_cast<std::size_t>(file.value())]; }
  const ByteCounts& at(FileIndex file) const {
    return files_[static_cast<std::size_t>(file.value())];
  }
  ByteCounts total() const {
    ByteCounts sum;
    for (const ByteCounts& f : files_) sum += f;
    return sum;
  }

 private:
  std::vector<ByteCounts> files_;
};

}  // namespace tributary::core
