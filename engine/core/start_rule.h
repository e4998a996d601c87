// When playback may start without the CDN's insurance: Spotify's rule. The recent transfer rates
// make a Markov chain; simulated playbacks drawn from it say how likely a stall is (Kreitz &
// Niemelä, "Spotify - Large Scale, Low Latency, P2P Music-on-Demand Streaming", IEEE P2P 2010).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/byte_time_map.h"

namespace tributary::core {

// Bytes received in each of the last seconds in which anything was wanted. The present second is
// not part of it until it is over.
class RateHistory {
 public:
  static constexpr int kMaxSeconds = 900;  // 15 minutes, as Spotify; 3.6 kB

  // `bytes` arrived. Seconds passed over count as empty: call it with zero bytes while waiting.
  // REQUIRES: now does not go back, bytes >= 0.
  void add(TimePoint now, Bytes bytes);
  // Nothing is wanted from now on, so what does not arrive says nothing about the rate. The next
  // add() takes the record up again.
  void idle(TimePoint now);

  int size() const { return static_cast<int>(samples_.size()); }
  // The i-th oldest second. REQUIRES: 0 <= i < size().
  Bytes at(int i) const;

 private:
  void advance(std::int64_t second);
  void push(std::uint32_t bytes);

  std::vector<std::uint32_t> samples_;  // a ring once full; bytes, saturated
  std::size_t oldest_ = 0;
  bool open_ = false;
  std::int64_t second_ = 0;  // the present second, counted from the clock's origin
  std::uint32_t bytes_ = 0;  // of the present second
};

// The (m) in SPOTIFY's rules: told by its authors, not in the paper.
struct StartRuleParams {
  int runs = 100;                // simulated playbacks (m); at most kMaxStartRuns
  int max_failures = 1;          // start when no more of them stall (m)
  int min_samples = 3;           // seconds; a shorter record says too little to start on
  Duration horizon = 15min;      // how far ahead to simulate: as far as the record reaches back
  Bytes blind_buffer = 512_KiB;  // start at this much when the media's rate is unknown; 16 s at
                                 // 256 kbit/s
};
inline constexpr int kMaxStartRuns = 1000;  // bounds the cost: runs x steps of a few ns
inline constexpr int kMaxStartSteps = 900;  // simulated seconds, the horizon's upper bound

// True when playback from media time `position`, with the bytes [offset_at(position),
// + buffered_ahead) in hand, would in at most max_failures of the simulated runs run dry before
// the horizon or the end. Conservative: a second's bytes can be played once the second is over.
// Cost: at most runs x 900 steps, about a millisecond with the defaults.
bool may_start(const RateHistory& history, Bytes buffered_ahead, const ByteTimeMap& map,
               Duration position, Random& random, const StartRuleParams& params = {});

}  // namespace tributary::core
