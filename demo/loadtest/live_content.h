// What is played in a live load test: files of bytes that mean nothing, and the torrents that name
// them. The same plan and seed give the same bytes, so an edge that was given them once can be
// tested against again.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/core/torrent_info.h"
#include "engine/sim/load_plan.h"
#include "engine/sim/track.h"

namespace tributary::demo {

struct LiveTrack {
  std::shared_ptr<const core::Metainfo> metainfo;
  std::shared_ptr<const sim::Track> track;  // of the same blocks
};

// By number; those that somebody plays or has in his cache.
using LiveTracks = std::map<std::int32_t, LiveTrack>;

// Bytes of those tracks, and of all that the plan's listeners start, each time anew.
struct LiveVolume {
  Bytes files;
  Bytes plays;
};
LiveVolume volume_of(const sim::LoadPlan& plan);

struct LiveContentOptions {
  std::string folder;  // there already
  std::string edge;    // URL of a folder, ends in '/'
  std::string tracker;
  std::uint64_t seed = 1;
};

// Writes the files that are not there yet, and hashes all. `progress` gets bytes. Errors: kIo,
// kLimit where the disk has no room, kCancelled once `stop` is set.
Result<LiveTracks> make_live_content(const sim::LoadPlan& plan, const LiveContentOptions& options,
                                     const std::function<void(Bytes done, Bytes total)>& progress,
                                     const std::atomic<bool>& stop);

}  // namespace tributary::demo
