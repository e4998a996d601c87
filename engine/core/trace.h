// The record of one scheduling decision: which block, when it is due, who could bring it, and why
// it was asked of whom.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/cdn_reason.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"

namespace tributary::core {

struct Candidate {
  ConnId peer;
  TimePoint expected_finish;
};

struct Decision {
  enum class Choice { kPeer, kCdn, kCancel };

  TimePoint at;
  TorrentId torrent;
  BlockRange blocks;
  TimePoint deadline = kNever;        // of the first block; kNever beyond any demand
  TimePoint cdn_last_safe = kNever;   // the CDN's last safe moment for it
  std::vector<Candidate> candidates;  // peers considered, best first, at most 8
  Choice choice = Choice::kPeer;
  ConnId peer;                            // when a peer was chosen or cancelled
  CdnReason reason = CdnReason::kUrgent;  // when the CDN was chosen
  std::string_view why;                   // a fixed phrase, such as "most urgent, finishes first"
};

}  // namespace tributary::core
