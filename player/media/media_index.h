// The byte<->time relation of a file, gathered packet by packet.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/torrent_info.h"

namespace tributary::player {

// Packets may come in any order; memory is bounded. Not thread-safe.
class MediaIndex {
 public:
  // Points kept: 512 describe a 2 h film every 16 s and make about 8 KiB of hints.
  static constexpr int kMaxPoints = 512;
  // Finer points would not sharpen a deadline: one second is less than any safe buffer.
  static constexpr Duration kMinSpacing = 1s;

  // A packet that plays at `time` stands at file offset `offset`, which several in a row share
  // where the container has pages; the page is needed for the first. Negative times count as zero.
  void note(Duration time, Bytes offset);

  bool empty() const { return slots_.empty(); }
  // The latest time noted; zero when empty.
  Duration last_time() const { return last_time_; }

  // At each point's time, the smallest offset noted at that time or later: bytes before it are not
  // needed from then on. Strictly ascending in both, at most kMaxPoints.
  std::vector<core::TimeHint> points() const;

 private:
  void widen();

  // Slot i covers [i, i + 1) × width_: its earliest time and its smallest offset.
  std::vector<std::optional<core::TimeHint>> slots_;
  Duration width_ = kMinSpacing;
  Duration last_time_{};
  std::optional<Bytes> last_offset_;
};

}  // namespace tributary::player
