#include "engine/core/fair_share.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>

namespace tributary::core {
namespace {

constexpr ConnId kA{1};
constexpr ConnId kB{2};
constexpr ConnId kC{3};

// An uplink that sends what it was handed in the order it came, and parties that always have more.
struct Bench {
  FairShare shares;
  std::vector<ConnId> waiting;
  std::deque<ConnId> wire;
  std::map<ConnId, int> sent;
  TimePoint now{};
  Bytes block = kBlockSize;

  void fill() {
    while (const auto conn = shares.next(waiting, now)) {
      shares.started(*conn, block, now);
      wire.push_back(*conn);
    }
  }
  void send(int blocks) {
    for (int i = 0; i < blocks; ++i) {
      fill();
      REQUIRE_FALSE(wire.empty());
      ++sent[wire.front()];
      shares.ended(wire.front());
      wire.pop_front();
    }
  }
};

TEST_CASE("without parties nothing is weighed, and nobody's turn comes") {
  Bench b;
  b.waiting = {kA};
  CHECK_FALSE(b.shares.active());
  CHECK_FALSE(b.shares.next(b.waiting, b.now).has_value());
}

TEST_CASE("bytes go out in the ratio of the weights, to within a block each") {
  Bench b;
  b.shares.assign({{kA, {6000, kUnlimited}}, {kB, {3000, kUnlimited}}, {kC, {1000, kUnlimited}}});
  b.waiting = {kA, kB, kC};
  b.send(1000);
  CHECK(b.sent[kA] >= 598);
  CHECK(b.sent[kA] <= 602);
  CHECK(b.sent[kB] >= 298);
  CHECK(b.sent[kB] <= 302);
  CHECK(b.sent[kC] >= 98);
  CHECK(b.sent[kC] <= 102);
}

TEST_CASE("a few blocks are under way at once, and no more") {
  Bench b;
  b.shares.assign({{kA, {}}, {kB, {}}});
  b.waiting = {kA, kB};
  b.fill();
  CHECK(b.wire.size() == static_cast<std::size_t>(FairShare::kWindow));
  CHECK(b.shares.ready_at(b.waiting, b.now) == kNever);
}

TEST_CASE("who has nothing to send leaves his part to the others and saves up nothing") {
  Bench b;
  b.shares.assign({{kA, {9000, kUnlimited}}, {kB, {1000, kUnlimited}}});
  b.waiting = {kB};
  b.send(100);
  CHECK(b.sent[kB] == 100);
  b.waiting = {kA, kB};
  b.send(100);
  CHECK(b.sent[kA] >= 85);
  CHECK(b.sent[kA] <= 92);  // not all hundred for the time it was away
}

TEST_CASE("a party whose own line stands still does not hold up the others") {
  Bench b;
  b.shares.assign({{kA, {10, kUnlimited}}, {kB, {1, kUnlimited}}});
  b.waiting = {kA};
  b.fill();  // A holds the whole window, and none of it moves
  b.wire.clear();
  b.waiting = {kB};
  CHECK_FALSE(b.shares.next(b.waiting, b.now).has_value());

  Bench slow;
  slow.shares.assign({{kA, {10, kUnlimited}}, {kB, {1, kUnlimited}}});
  slow.waiting = {kA};
  for (int i = 0; i < 3; ++i) slow.shares.started(kA, kBlockSize, slow.now);
  slow.waiting = {kB};
  slow.send(50);
  slow.fill();
  CHECK(slow.sent[kB] == 50);
  CHECK(slow.wire.size() == static_cast<std::size_t>(FairShare::kWindow));  // A's count no longer
}

TEST_CASE("a limit of its own holds a party back, and names when it may go on") {
  Bench b;
  b.shares.assign({{kA, {1, 128_kbps}}});  // a block a second
  b.waiting = {kA};
  b.fill();
  CHECK(b.wire.size() == 1);
  const TimePoint next = b.shares.ready_at(b.waiting, b.now);
  CHECK(next > b.now + 1s);
  CHECK(next < b.now + 1100ms);
  b.now = next - 1us;
  b.fill();
  CHECK(b.wire.size() == 1);
  b.now = next;
  b.fill();
  CHECK(b.wire.size() == 2);
}

TEST_CASE("a new sharing keeps the place of those that stay") {
  Bench b;
  b.shares.assign({{kA, {1, kUnlimited}}, {kB, {1, kUnlimited}}});
  b.waiting = {kA, kB};
  b.send(100);
  b.shares.assign({{kB, {1, kUnlimited}}, {kC, {3, kUnlimited}}});
  b.shares.ended(kA);  // of its last block; it is no party any more
  b.wire.clear();
  b.sent.clear();
  for (int i = 0; i < 4; ++i) b.shares.ended(kB);
  b.waiting = {kB, kC};
  b.send(100);
  CHECK(b.sent[kC] >= 72);
  CHECK(b.sent[kC] <= 78);
}

}  // namespace
}  // namespace tributary::core
