// A token bucket in bytes. Pure: the time is an argument.
#pragma once

#include "engine/base/units.h"

namespace tributary::net {

// Tokens accrue at `rate` up to `burst` and are spent by take(). Spending may overdraw, so that a
// unit larger than the burst (a block at a very low rate) still passes; what is overdrawn is waited
// for, hence over any span the bytes taken never exceed burst + rate * time + one unit.
// A bucket may have a parent (a limit per torrent below the global one): it then spends from both
// and is held back by whichever is emptier. The parent must outlive the child.
// REQUIRES for each call with a time: not earlier than in the call before.
class TokenBucket {
 public:
  // Starts full. kUnlimited never holds anything back; a rate of zero passes `burst` once, then
  // nothing. REQUIRES: rate >= 0, 0 < burst <= kMaxBurst.
  explicit TokenBucket(BitRate rate = kUnlimited, Bytes burst = kDefaultBurst,
                       TokenBucket* parent = nullptr);

  // Four blocks: as little as keeps a block from waiting for its own tokens.
  static constexpr Bytes kDefaultBurst = 64_KiB;
  // Keeps the arithmetic within 64 bits.
  static constexpr Bytes kMaxBurst = Bytes(std::int64_t{1} << 36);

  bool unlimited() const;
  BitRate rate() const { return rate_; }
  // Keeps the tokens that have accrued.
  void set_rate(BitRate rate, TimePoint now);

  // Tokens on hand, here and above; negative after an overdraft.
  Bytes available(TimePoint now);
  bool may_take(TimePoint now) { return available(now) > 0_B; }
  // Spends here and above, whether or not there are tokens. REQUIRES: size >= 0.
  void take(Bytes size, TimePoint now);
  // When may_take() will hold; `now` if it does, kNever at a rate of zero.
  TimePoint ready_at(TimePoint now);

 private:
  void refill(TimePoint now);
  TimePoint own_ready_at(TimePoint now);

  // Tokens are counted in bit-microseconds per second, 1 byte = 8,000,000, so that no rounding
  // accumulates.
  static constexpr std::int64_t kPerByte = 8'000'000;

  BitRate rate_;
  std::int64_t burst_;
  std::int64_t tokens_;
  TimePoint last_{};
  bool started_ = false;  // last_ is set
  TokenBucket* parent_;
};

}  // namespace tributary::net
