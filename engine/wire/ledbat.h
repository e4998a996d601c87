// LEDBAT (RFC 6817): a congestion window that gives way to others before a queue is full, by the
// one-way delay of what is sent. Figures are the RFC's unless noted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/units.h"

namespace tributary::wire {

// Queuing delay that a flow keeps at the bottleneck. RFC 6817 asks for at most 100 ms, BEP 29 takes
// that, LEDBAT++ 60 ms (4.1): a TCP flow's queue of 100 ms is then one to give way to. Who keeps
// less than others gets less than they do.
inline constexpr Duration kLedbatTarget = 60ms;
// Segments; INIT_CWND and MIN_CWND.
inline constexpr std::int64_t kLedbatInitialWindow = 2;
inline constexpr std::int64_t kLedbatMinWindow = 2;
// BASE_HISTORY: the least delay of so many minutes counts as that of the empty path. Routes change,
// and clocks drift apart by milliseconds a minute.
inline constexpr std::size_t kBaseHistoryMinutes = 10;
// CURRENT_FILTER: the least of so many samples counts as the present delay, so that one late packet
// does not look like a queue.
inline constexpr std::size_t kCurrentFilter = 4;

// One direction's delays, between clocks that need not agree: only differences count.
class DelayHistory {
 public:
  // A one-way delay in microseconds, modulo 2^32 and off by whatever the two clocks differ.
  void add(std::uint32_t sample, TimePoint now);
  bool empty() const { return samples_ == 0; }
  // Of the present delay what is above the least. Zero while empty().
  Duration queuing() const;
  // The least delay; falls when the path gets shorter, or when the clocks drift apart.
  Duration base() const;
  // The clocks have drifted apart: all minima grow by so much.
  void shift(Duration by);

 private:
  Duration origin_relative(std::uint32_t sample) const;

  std::uint32_t origin_ = 0;  // the first sample: others are held as differences from it
  std::int64_t samples_ = 0;
  std::array<Duration, kBaseHistoryMinutes> minima_{};  // of the last minutes, a ring
  std::size_t minute_ = 0;                              // the present one's place
  std::size_t minutes_ = 0;                             // that are known
  TimePoint minute_ends_{};
  std::array<Duration, kCurrentFilter> current_{};  // a ring
};

// The window, in bytes of payload. It grows as RFC 6817 says (GAIN = 1: by at most one segment in a
// round trip), after a slow start that ends where a queue begins. It shrinks faster than the RFC
// asks for: in proportion to itself, as LEDBAT++ does (draft-irtf-iccrg-ledbat-plus-plus, 4.2).
// With one segment for each target's worth of delay it would take half a minute to give way to a
// TCP flow. Also LEDBAT++'s (4.4): after the slow start and from time to time again it all but
// stops for two round trips, so that the path is seen empty. Who came when others had filled their
// share of the queue takes that for the path's own delay, and would starve them.
class LedbatWindow {
 public:
  struct Ack {
    Bytes acked;
    std::optional<Duration> queuing;  // how long packets queue; nothing where it is not known
    Duration round_trip{};
    bool limited = false;  // the window was what held the sender back
  };

  // REQUIRES: segment > 0, target > 0.
  explicit LedbatWindow(Bytes segment, Duration target = kLedbatTarget);

  Bytes size() const { return Bytes(window_ / kScale); }
  bool in_slow_start() const { return size() < slow_start_end_; }

  // It only grows where it was what held the sender back.
  void on_ack(const Ack& ack, TimePoint now);
  // Packets were lost. To be called once in a round trip.
  void on_loss(TimePoint now);
  // Nothing came back: begin anew.
  void on_timeout();
  // Nothing was sent for so long: what was learnt ages (RFC 2861: it halves with each time-out).
  void on_idle(Duration idle, Duration timeout);

  // Beyond it nobody's receive window goes; keeps the arithmetic within 64 bits.
  static constexpr Bytes kMax = 4_MiB;

 private:
  // Parts of a byte, so that growth by less than a byte for each of many packets adds up.
  static constexpr std::int64_t kScale = 1024;

  void set(Bytes size);
  void leave_slow_start(TimePoint now);
  bool slow_down(const Ack& ack, TimePoint now);
  void adapt(const Ack& ack);

  Bytes segment_;
  Duration target_;
  std::int64_t window_;
  Bytes slow_start_end_ = kMax;
  TimePoint slow_down_at_ = kNever;  // kNever while in slow start
  TimePoint slowed_down_at_{};       // the last time; the origin: never
  TimePoint frozen_until_{};
};

}  // namespace tributary::wire
