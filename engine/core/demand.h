// A demand: which bytes of one file playback needs, and by when.
#pragma once

#include <algorithm>

#include "engine/base/units.h"
#include "engine/core/byte_time_map.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"

namespace tributary::core {

// Deadlines of one file. All byte offsets are in torrent space.
struct Demand {
  FileIndex file;
  ReaderId reader = kNoReader;  // none: playback's
  ByteRange unread{};           // a reader's alone: what it has yet to take
  BitRate rate{};               // likewise: it reads at least so fast
  ByteRange file_range;
  ByteTimeMap timeline;  // known(), at worst by a guessed rate
  Duration position{};   // media time needed at `at`
  TimePoint at{};
  bool moving = false;
  bool starting = false;
  bool prefetch = false;
  bool cdn_allowed = true;
  Bytes budget;
  bool guessed = false;  // the timeline is guessed_timeline()
  bool may_start_sent = false;

  bool is(FileIndex f, ReaderId r) const { return file == f && reader == r; }
  // The playhead stops here: at the end, or where the reader stands.
  Duration limit() const {
    return reader == kNoReader
               ? timeline.duration()
               : std::max(timeline.time_at(unread.begin - file_range.begin), position);
  }
  // Time alone brings the playhead on, and deadlines nearer.
  bool moves(TimePoint now) const {
    return moving && (reader == kNoReader || now - at < limit() - position);
  }
  // The media time that is due now.
  Duration playhead(TimePoint now) const {
    if (!moving || now <= at) return position;
    return std::min(position + (now - at), limit());
  }
  // When the media at `position` is due, or was. While nothing moves, it slides along with now.
  TimePoint origin(TimePoint now) const {
    if (!moving) return std::max(at, now);
    return reader == kNoReader ? at : std::max(at, now - (limit() - position));
  }
  // When the media at `time` is due.
  TimePoint due(Duration time, TimePoint now) const { return origin(now) + (time - position); }
  TimePoint deadline(Bytes offset, TimePoint now) const {
    return due(timeline.time_at(offset - file_range.begin), now);
  }
  // The first byte of the media at `time`.
  Bytes offset_at(Duration time) const { return file_range.begin + timeline.offset_at(time); }
  // The last media time that is due by `when`.
  Duration time_due_by(TimePoint when, TimePoint now) const {
    return position + (when - origin(now));
  }
  // Demanded bytes that are not played yet.
  ByteRange wanted(TimePoint now) const {
    if (reader != kNoReader) return unread;
    const Bytes first = offset_at(position);
    const Bytes end =
        file_range.size() <= budget ? file_range.end : std::min(file_range.end, first + budget);
    return {std::min(offset_at(playhead(now)), end), end};
  }
};

// Until the duration is known: high for music, so that deadlines err on the early side.
inline constexpr BitRate kGuessedMediaRate = 1_Mbps;

// For a file whose hints are missing. known(), unless the file is empty.
inline ByteTimeMap guessed_timeline(Bytes size) {
  return ByteTimeMap::linear(size, transfer_time(size, kGuessedMediaRate));
}

}  // namespace tributary::core
