#include "engine/wire/ledbat.h"

#include <doctest/doctest.h>

namespace tributary::wire {
namespace {

constexpr Bytes kSegment = 1000_B;
TimePoint at(Duration d) { return TimePoint(d); }

void acknowledge(LedbatWindow& window, std::optional<Duration> queuing, bool limited = true,
                 Duration now = 0s) {
  window.on_ack({kSegment, queuing, 50ms, limited}, at(now));
}

// A window past its slow start, and before its first slow-down.
LedbatWindow grown(Bytes size) {
  LedbatWindow window(kSegment);
  while (window.size() < size * 2) acknowledge(window, 0ms);
  window.on_loss(at(1s));
  CHECK_FALSE(window.in_slow_start());
  return window;
}

void acknowledge_window(LedbatWindow& window, Duration queuing, bool limited = true) {
  const Bytes all = window.size();
  for (Bytes done; done < all; done += kSegment) acknowledge(window, queuing, limited);
}

TEST_CASE("delays count from the least of them, whatever the clocks say") {
  for (const std::uint32_t offset : {0U, 123U, 0xffffff00U, 0x7fffff00U}) {
    DelayHistory delays;
    CHECK(delays.queuing() == Duration::zero());
    delays.add(offset + 5000, at(0s));
    CHECK(delays.queuing() == Duration::zero());
    for (int i = 0; i < 4; ++i) delays.add(offset + 45'000, at(1s));
    CHECK(delays.queuing() == 40ms);
    delays.add(offset + 3000, at(2s));
    CHECK(delays.queuing() == Duration::zero());
  }
}

TEST_CASE("one late packet among four is no queue") {
  DelayHistory delays;
  for (const std::uint32_t delay : {10'000U, 10'000U, 900'000U, 11'000U}) {
    delays.add(delay, at(0s));
  }
  CHECK(delays.queuing() == Duration::zero());
}

TEST_CASE("the least delay is forgotten after ten minutes") {
  DelayHistory delays;
  delays.add(1000, at(0s));
  for (Duration t = 10s; t < 590s; t += 10s) delays.add(31'000, at(t));
  CHECK(delays.queuing() == 30ms);
  for (Duration t = 590s; t < 670s; t += 10s) delays.add(31'000, at(t));
  CHECK(delays.queuing() == Duration::zero());
}

TEST_CASE("a shift raises the least delay") {
  DelayHistory delays;
  delays.add(1000, at(0s));
  for (int i = 0; i < 4; ++i) delays.add(31'000, at(0s));
  delays.shift(10ms);
  CHECK(delays.queuing() == 20ms);
}

TEST_CASE("a window begins with two segments and doubles each round trip") {
  LedbatWindow window(kSegment);
  CHECK(window.size() == 2 * kSegment);
  acknowledge_window(window, Duration::zero());
  CHECK(window.size() == 4 * kSegment);
  acknowledge_window(window, 10ms);
  CHECK(window.size() == 8 * kSegment);
}

TEST_CASE("slow start ends where a queue begins") {
  LedbatWindow window(kSegment);
  acknowledge_window(window, 0ms);
  const Bytes before = window.size();
  acknowledge(window, kLedbatTarget * 4 / 5);
  CHECK_FALSE(window.in_slow_start());
  CHECK(window.size() < before + kSegment);
}

TEST_CASE("past slow start an empty queue gains one segment a round trip, half a target half") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  acknowledge_window(window, 0ms);
  const Bytes whole = window.size() - before;
  CHECK(whole > 900_B);
  CHECK(whole <= kSegment);
  const Bytes between = window.size();
  acknowledge_window(window, kLedbatTarget / 2);
  const Bytes half = window.size() - between;
  CHECK(half > 440_B);
  CHECK(half <= 500_B);
}

TEST_CASE("a window rests at its target and shrinks in proportion beyond it") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  acknowledge_window(window, kLedbatTarget);
  CHECK(window.size() == before);
  acknowledge_window(window, kLedbatTarget * 6 / 5);
  CHECK(window.size() < before * 85 / 100);
  CHECK(window.size() > before * 75 / 100);
  const Bytes then = window.size();
  acknowledge_window(window, 10s);
  CHECK(window.size() >= then / 2 - kSegment);
  CHECK(window.size() <= then * 6 / 10);
  for (int i = 0; i < 20; ++i) acknowledge_window(window, 10s);
  CHECK(window.size() == kLedbatMinWindow * kSegment);
}

TEST_CASE("who does not use its window gains nothing") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  acknowledge_window(window, 0ms, false);
  CHECK(window.size() == before);
}

TEST_CASE("a loss halves the window, a time-out begins anew and remembers half of it") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  window.on_loss(at(1s));
  CHECK(window.size() == before / 2);
  window.on_timeout();
  CHECK(window.size() == kSegment);
  CHECK(window.in_slow_start());
  for (int i = 0; i < 3; ++i) acknowledge_window(window, 0ms);
  CHECK_FALSE(window.in_slow_start());
  for (int i = 0; i < 9; ++i) window.on_loss(at(1s));
  CHECK(window.size() == kLedbatMinWindow * kSegment);
}

TEST_CASE("a window all but stops for two round trips, then is soon where it was") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  acknowledge(window, 50ms, true, 1s);
  CHECK(window.size() == kLedbatMinWindow * kSegment);
  acknowledge(window, 0ms, true, 1099ms);
  CHECK(window.size() == kLedbatMinWindow * kSegment);
  while (window.in_slow_start()) acknowledge(window, 0ms, true, 1200ms);
  CHECK(window.size() >= before);
  // It was 200 ms from then to here.
  acknowledge(window, 0ms, true, 1200ms + 1799ms);
  CHECK(window.size() > before);
  acknowledge(window, 0ms, false, 1200ms + 1800ms);  // who sends little needs none
  CHECK(window.size() > before);
  acknowledge(window, 0ms, true, 1200ms + 1800ms);
  CHECK(window.size() == kLedbatMinWindow * kSegment);
}

TEST_CASE("an idle window halves with each time-out, down to where it began") {
  LedbatWindow window = grown(20'000_B);
  const Bytes before = window.size();
  window.on_idle(900ms, 1s);
  CHECK(window.size() == before);
  window.on_idle(2s, 1s);
  CHECK(window.size() == before / 4);
  CHECK(window.in_slow_start());
  window.on_idle(std::chrono::hours(5), 1s);
  CHECK(window.size() == kLedbatInitialWindow * kSegment);
}

TEST_CASE("without any known delay a window grows by losses alone") {
  LedbatWindow window(kSegment);
  for (int i = 0; i < 10'000 && window.size() < LedbatWindow::kMax; ++i) {
    acknowledge(window, std::nullopt);
  }
  CHECK(window.size() == LedbatWindow::kMax);
}

}  // namespace
}  // namespace tributary::wire
