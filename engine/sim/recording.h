// A listener's session as it was recorded: what was heard, who was there and gave how much, what
// the CDN did. Times are from the session's start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/ledger.h"
#include "engine/core/torrent_info.h"

namespace tributary::sim {

// One file of a torrent, in the order in which they were heard.
struct RecordedTrack {
  std::int64_t torrent = 0;  // files of one torrent have the same
  std::string title;
  Bytes offset;  // of the file within the torrent
  Bytes size;    // > 0
  Bytes piece_length;
  bool v2 = true;
  bool is_private = false;
  bool on_cdn = true;
  bool hinted = true;   // its timeline was known before the first byte
  bool cached = false;  // wholly, before it was asked for
  Duration duration{};  // > 0
  std::vector<core::TimeHint> points;
};

struct RecordedPeer {
  std::int64_t torrent = 0;
  bool inbound = false;  // it dialled us
  TimePoint from{};
  TimePoint until = kNever;
  Duration round_trip = 20ms;
  // What it has besides, from then on: these pieces of the torrent, or all.
  struct Offer {
    TimePoint at{};
    bool all = false;
    std::vector<std::int32_t> pieces{};
  };
  std::vector<Offer> offers;
  // Its measured rate from then on, zero while it choked us. By time.
  std::vector<std::pair<TimePoint, BitRate>> rates;
};

// One request to the CDN.
struct RecordedRequest {
  TimePoint at{};
  bool failed = false;
  std::optional<Duration> first_byte;
  std::optional<BitRate> rate;  // after the first byte, where enough came to tell
};

struct RecordedAction {
  enum class Kind { kTogglePause, kSeek, kNext, kPrevious, kStop };
  TimePoint at{};
  Kind kind = Kind::kStop;
  Duration by{};  // of kSeek
};

struct SessionFigures {
  Duration startup{};  // summed over the tracks
  Duration played{};
  std::int64_t stalls = 0;
  Duration stalled{};
  core::ByteCounts bytes;
};

struct Recording {
  std::string policy;
  BitRate down = kUnlimited;
  BitRate up = kUnlimited;
  bool upload = true;
  Duration from{};                // where each track begins
  std::optional<Duration> until;  // and ends
  TimePoint start{};              // when the first track was asked for
  TimePoint end{};
  std::vector<RecordedTrack> tracks;
  std::vector<RecordedPeer> peers;
  std::vector<RecordedRequest> requests;  // by time
  std::vector<RecordedAction> actions;    // by time
  SessionFigures figures;
};

}  // namespace tributary::sim
