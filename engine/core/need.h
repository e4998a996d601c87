// How urgently a client needs blocks, as it tells its peers (extension `tributary_need`), and how
// far it is believed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "engine/base/units.h"

namespace tributary::core {

// Spotify's order of service (Kreitz & Niemelä 2010): what is heard now before what is heard next
// before what is only to be kept. Who says nothing is storing.
enum class Need : std::uint8_t { kStoring = 0, kPrefetching = 1, kPlaying = 2 };

constexpr std::string_view to_string(Need need) {
  return need == Need::kPlaying       ? "playing"
         : need == Need::kPrefetching ? "prefetching"
                                      : "storing";
}

// So much of what one peer is sent counts as urgent, whatever it claims: what a listener's buffer
// holds at once, and from then on its media rate with a quarter to spare, for that is all that
// playing can use. Hence over any time T a liar is served as urgent at most
//   max(12 s of media, 256 KiB) + 5/4 media rate x T + the blocks under way,
// and as one who stores beyond it.
class NeedBudget {
 public:
  static constexpr Duration kAhead = 12s;       // Policy::urgent_window
  static constexpr Bytes kLeast = 256_KiB;      // a seek's worth of music
  static constexpr std::int64_t kQuarters = 5;  // of the media rate

  // The peer was sent bytes under a claim that counts.
  void spend(Bytes bytes, BitRate media, TimePoint now) {
    spent_ = spent_at(media, now) + bytes;
    at_ = now;
    used_up_ = spent_ >= most(media);
  }
  // Whether its claim counts. Once all is used up, only when half of it is there again: a claim
  // that counted for every block that accrues would hold a slot for ever.
  bool left(BitRate media, TimePoint now) const {
    const Bytes spent = spent_at(media, now);
    return used_up_ ? spent <= most(media) / 2 : spent < most(media);
  }
  static Bytes most(BitRate media) { return std::max(bytes_in(kAhead, media), kLeast); }

 private:
  Bytes spent_at(BitRate media, TimePoint now) const {
    const Bytes back = bytes_in(now - at_, media / 4 * kQuarters);
    return std::max(spent_ - back, 0_B);
  }

  Bytes spent_;
  TimePoint at_{};
  bool used_up_ = false;
};

}  // namespace tributary::core
