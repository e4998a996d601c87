#include "player/api/ledger.h"

namespace tributary::capi {

tributary_ledger ledger_of(const core::ByteCounts& bytes) {
  const auto cdn = [&bytes](core::CdnReason reason) { return bytes.cdn_by_reason[reason].count(); };
  tributary_ledger ledger{};
  ledger.size = sizeof ledger;
  ledger.peers_bytes = bytes.peers.count();
  ledger.cdn_bytes = bytes.cdn().count();
  ledger.cdn_startup_bytes = cdn(core::CdnReason::kStartup);
  ledger.cdn_urgent_bytes = cdn(core::CdnReason::kUrgent);
  ledger.cdn_rescue_bytes = cdn(core::CdnReason::kRescue);
  ledger.cdn_no_peer_bytes = cdn(core::CdnReason::kNoPeer);
  ledger.cdn_seed_swarm_bytes = cdn(core::CdnReason::kSeedSwarm);
  ledger.cdn_prefetch_bytes = cdn(core::CdnReason::kPrefetch);
  ledger.cdn_requests = bytes.cdn_requests;
  ledger.cache_bytes = bytes.cache.count();
  ledger.uploaded_bytes = bytes.uploaded.count();
  ledger.good_bytes = bytes.good.count();
  ledger.duplicate_bytes = bytes.duplicate.count();
  ledger.corrupt_bytes = bytes.corrupt.count();
  return ledger;
}

}  // namespace tributary::capi
