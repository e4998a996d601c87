#include "engine/base/units.h"

#include <doctest/doctest.h>

#include "engine/base/bitfield.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/slot_map.h"

namespace tributary {
namespace {

TEST_CASE("a transfer time is rounded up and a rate of zero is an hour") {
  CHECK(transfer_time(1000_B, 8000_kbps) == 1001us);
  CHECK(transfer_time(1_B, BitRate()) == std::chrono::hours(1));
  CHECK(transfer_time(1_MiB, kUnlimited) == 0us);
}

TEST_CASE("bytes in a time and the rate of bytes agree") {
  CHECK(bytes_in(2s, 10_Mbps) == Bytes(2'500'000));
  CHECK(rate_of(Bytes(2'500'000), 2s) == 10_Mbps);
  CHECK(rate_of(Bytes(1), 0s) == BitRate());
}

TEST_CASE("ranges that do not meet have an empty intersection") {
  CHECK(intersect({0_B, 10_B}, {5_B, 20_B}) == ByteRange{5_B, 10_B});
  CHECK(intersect({0_B, 5_B}, {7_B, 9_B}).empty());
}

TEST_CASE("a bitfield finds set, clear and common bits across words") {
  Bitfield a(130);
  Bitfield b(130);
  CHECK(a.find_next(0) == Bitfield::kNone);
  CHECK(a.set(3));
  CHECK_FALSE(a.set(3));
  a.set(128);
  b.set(128);
  CHECK(a.find_next(4) == 128);
  CHECK(a.find_next_common(b, 0, 130) == 128);
  CHECK(a.find_next_common(b, 0, 128) == Bitfield::kNone);
  CHECK(a.count() == 2);
  const Bitfield full(130, true);
  CHECK(full.all());
  CHECK(full.find_next_clear(0) == Bitfield::kNone);
}

TEST_CASE("the random generator is a fixed function of its seed") {
  Random r(42);
  CHECK(r.next() == 0xbdd732262feb6e95ULL);
  Random again(42);
  for (int i = 0; i < 1000; ++i) CHECK(again.below(7) < 7);
}

TEST_CASE("a slot map never resolves an erased id, even when the slot is used again") {
  SlotMap<struct TestTag, int> map;
  const auto first = map.emplace(1);
  CHECK(map.erase(first));
  const auto second = map.emplace(2);
  CHECK(map.find(first) == nullptr);
  CHECK(*map.find(second) == 2);
  CHECK(map.size() == 1);
}

TEST_CASE("a result holds its value or its error") {
  const Result<int> good = 3;
  const Result<int> bad = invalid("no number here");
  CHECK(good.value() == 3);
  CHECK(bad.error().message == "no number here");
}

}  // namespace
}  // namespace tributary
