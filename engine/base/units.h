// Units of the engine: bytes, bit rates, virtual time. Integers only, so that results do not depend
// on the compiler or its floating-point flags.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace tributary {

// Microseconds; may be negative.
using Duration = std::chrono::microseconds;

// The node's clock. It has no now(): hosts pass the time with each input, from a monotonic clock or
// from the simulator, counted from an origin of the host's choice.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};
using TimePoint = Clock::time_point;

inline constexpr TimePoint kNever = TimePoint::max();

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 15s, 250ms

// A count of bytes, or an offset in bytes. May be negative as a difference.
class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr explicit Bytes(std::int64_t count) : count_(count) {}
  constexpr std::int64_t count() const { return count_; }
  constexpr Bytes& operator+=(Bytes b) { return count_ += b.count_, *this; }
  constexpr Bytes& operator-=(Bytes b) { return count_ -= b.count_, *this; }
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return Bytes(a.count_ + b.count_); }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return Bytes(a.count_ - b.count_); }
  friend constexpr Bytes operator*(Bytes a, std::int64_t n) { return Bytes(a.count_ * n); }
  friend constexpr Bytes operator*(std::int64_t n, Bytes a) { return a * n; }
  friend constexpr Bytes operator/(Bytes a, std::int64_t n) { return Bytes(a.count_ / n); }
  friend constexpr std::int64_t operator/(Bytes a, Bytes b) { return a.count_ / b.count_; }
  friend constexpr Bytes operator%(Bytes a, Bytes b) { return Bytes(a.count_ % b.count_); }
  friend constexpr auto operator<=>(Bytes, Bytes) = default;

 private:
  std::int64_t count_ = 0;
};

constexpr Bytes operator""_B(unsigned long long n) { return Bytes(static_cast<std::int64_t>(n)); }
constexpr Bytes operator""_KiB(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n) * 1024);
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n) * 1024 * 1024);
}

// Bits per second, not negative.
class BitRate {
 public:
  constexpr BitRate() = default;
  constexpr explicit BitRate(std::int64_t bits_per_second) : bps_(bits_per_second) {}
  constexpr std::int64_t bits_per_second() const { return bps_; }
  friend constexpr BitRate operator+(BitRate a, BitRate b) { return BitRate(a.bps_ + b.bps_); }
  friend constexpr BitRate operator-(BitRate a, BitRate b) { return BitRate(a.bps_ - b.bps_); }
  friend constexpr BitRate operator*(BitRate a, std::int64_t n) { return BitRate(a.bps_ * n); }
  friend constexpr BitRate operator/(BitRate a, std::int64_t n) { return BitRate(a.bps_ / n); }
  friend constexpr auto operator<=>(BitRate, BitRate) = default;

 private:
  std::int64_t bps_ = 0;
};

constexpr BitRate operator""_kbps(unsigned long long n) {
  return BitRate(static_cast<std::int64_t>(n) * 1000);
}
constexpr BitRate operator""_Mbps(unsigned long long n) {
  return BitRate(static_cast<std::int64_t>(n) * 1'000'000);
}

inline constexpr BitRate kUnlimited = BitRate(std::numeric_limits<std::int64_t>::max());

__extension__ using Int128 = __int128;

// a * b / c with a 128-bit product, rounded down. REQUIRES: c > 0, and the quotient fits 64 bits.
constexpr std::int64_t mul_div(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<Int128>(a) * b / c);
}

// How long `size` takes at `rate`, rounded up; a rate of 0 gives an hour, so that sums cannot
// overflow.
constexpr Duration transfer_time(Bytes size, BitRate rate) {
  if (rate.bits_per_second() <= 0) return std::chrono::hours(1);
  if (rate == kUnlimited) return Duration::zero();
  return Duration(mul_div(size.count(), 8'000'000, rate.bits_per_second()) + 1);
}

// How many whole bytes `rate` carries in `time`. REQUIRES: rate != kUnlimited.
constexpr Bytes bytes_in(Duration time, BitRate rate) {
  return Bytes(mul_div(time.count(), rate.bits_per_second(), 8'000'000));
}

// The mean rate of `size` over `time`; zero for an empty time.
constexpr BitRate rate_of(Bytes size, Duration time) {
  return time <= Duration::zero() ? BitRate()
                                  : BitRate(mul_div(size.count(), 8'000'000, time.count()));
}

// A half-open range [begin, end) of byte offsets.
struct ByteRange {
  Bytes begin;
  Bytes end;

  constexpr Bytes size() const { return end - begin; }
  constexpr bool empty() const { return end <= begin; }
  constexpr bool contains(Bytes at) const { return begin <= at && at < end; }
  friend constexpr bool operator==(ByteRange, ByteRange) = default;
};

constexpr ByteRange intersect(ByteRange a, ByteRange b) {
  const Bytes begin = a.begin > b.begin ? a.begin : b.begin;
  const Bytes end = a.end < b.end ? a.end : b.end;
  return {begin, end > begin ? end : begin};
}

}  // namespace tributary
