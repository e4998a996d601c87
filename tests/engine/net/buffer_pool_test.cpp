#include "engine/net/buffer_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "engine/net/loop.h"

namespace tributary::net {
namespace {

bool all_are(std::span<const std::uint8_t> bytes, std::uint8_t value) {
  return std::all_of(bytes.begin(), bytes.end(), [=](std::uint8_t b) { return b == value; });
}

TEST_CASE("a buffer has its size, its bytes, and is gone after release") {
  BufferPool pool;
  const std::vector<std::uint8_t> text(100, 7);
  const core::BufferId id = pool.copy(text);
  REQUIRE(id != core::kNoBuffer);
  CHECK(std::ranges::equal(pool.data(id), text));
  CHECK(pool.in_use() == 1);
  CHECK(pool.bytes_in_use() == 100_B);
  pool.release(id);
  CHECK_FALSE(pool.contains(id));
  CHECK_FALSE(pool.contains(core::kNoBuffer));
  CHECK(pool.in_use() == 0);
  CHECK(pool.bytes_in_use() == 0_B);
}

TEST_CASE("ids are never used again though blocks are") {
  BufferPool pool;
  std::set<core::BufferId> seen;
  for (int i = 0; i < 1000; ++i) {
    const core::BufferId id = pool.allocate(16_KiB);
    CHECK(seen.insert(id).second);
    pool.release(id);
  }
}

TEST_CASE("the count of buffers is bounded and a release makes room") {
  BufferPool pool({.max_buffers = 2, .max_idle = 1});
  const core::BufferId a = pool.allocate(1_B);
  const core::BufferId b = pool.allocate(1_B);
  CHECK(pool.full());
  CHECK(pool.allocate(1_B) == core::kNoBuffer);
  pool.release(a);
  CHECK(pool.allocate(1_B) != core::kNoBuffer);
  pool.release(b);
}

TEST_CASE("a share keeps the bytes after release, still counts, and frees when dropped") {
  BufferPool pool({.max_buffers = 1, .max_idle = 1});
  const core::BufferId id = pool.allocate(16_KiB);
  std::ranges::fill(pool.data(id), std::uint8_t{42});
  BufferRef share = pool.share(id);
  const BufferRef second = share;
  pool.release(id);
  CHECK(pool.full());  // the memory is still held
  CHECK(all_are(share.bytes(), 42));
  share = {};
  CHECK(all_are(second.bytes(), 42));
  CHECK(pool.in_use() == 1);
  CHECK(pool.reserved() >= 16_KiB);
}

TEST_CASE("a share may outlive its pool") {
  BufferRef share;
  {
    BufferPool pool;
    const core::BufferId id = pool.allocate(10_B);
    std::ranges::fill(pool.data(id), std::uint8_t{9});
    share = pool.share(id);
  }
  CHECK(share.bytes().size() == 10);
  CHECK(all_are(share.bytes(), 9));
}

TEST_CASE("many buffers lie apart, and the memory of idle ones is kept up to a limit") {
  BufferPool pool({.max_buffers = 1000, .max_idle = 200});
  std::vector<core::BufferId> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(pool.allocate(16_KiB));
    std::ranges::fill(pool.data(ids.back()), static_cast<std::uint8_t>(i % 251));
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(all_are(pool.data(ids[i]), static_cast<std::uint8_t>(i % 251)));
  }
  CHECK(pool.reserved() >= 1000 * 16_KiB);
  CHECK(pool.reserved() <= 1128 * 16_KiB);
  // One of each run of 128 stays: nothing can be given back.
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i % 100 != 0) pool.release(ids[i]);
  }
  CHECK(pool.reserved() >= 1000 * 16_KiB);
  for (std::size_t i = 0; i < ids.size(); i += 100) pool.release(ids[i]);
  CHECK(pool.reserved() >= 200 * 16_KiB);
  CHECK(pool.reserved() <= 328 * 16_KiB);
  for (std::size_t i = 0; i < 500; ++i) ids[i] = pool.allocate(16_KiB);
  CHECK(pool.reserved() >= 500 * 16_KiB);
  CHECK(pool.reserved() <= 628 * 16_KiB);
}

TEST_CASE("workers read while the loop thread releases and allocates") {
  Loop loop;
  BufferPool pool({.max_buffers = 64, .max_idle = 8});
  int done = 0;
  std::vector<char> good(2000, 0);
  const auto submit = [&](std::size_t i) {
    const auto value = static_cast<std::uint8_t>(i);
    const core::BufferId id = pool.allocate(16_KiB);
    REQUIRE(id != core::kNoBuffer);
    std::ranges::fill(pool.data(id), value);
    loop.work(
        [share = pool.share(id), value, &good, i] { good[i] = all_are(share.bytes(), value); },
        [&] { ++done; });
    pool.release(id);
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    REQUIRE(loop.run_until([&] { return !pool.full(); }, 30s));
    submit(i);
  }
  CHECK(loop.run_until([&] { return done == 2000 && pool.in_use() == 0; }, 30s));
  CHECK(std::ranges::all_of(good, [](char c) { return c == 1; }));
}

}  // namespace
}  // namespace tributary::net
