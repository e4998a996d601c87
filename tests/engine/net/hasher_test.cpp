#include "engine/net/hasher.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/engine/net/sample_torrent.h"

namespace tributary::net {
namespace {

struct Outcome {
  bool good = false;
  Verdict verdict = Verdict::kBad;
  std::vector<Sha256> digests;
};

struct Rig {
  explicit Rig(Versions versions, HasherLimits limits = {})
      : torrent(sample_torrent(versions)),
        hashes(std::make_shared<TorrentHashes>(torrent.info)),
        hasher(std::make_unique<Hasher>(loop, pool, events(), limits)) {}

  Hasher::Events events() {
    return {[this](core::Verified v, Verdict verdict) {
              outcomes[v.blocks.begin] = {v.good, verdict, v.digests};
              ++answers;
            },
            [this](core::HashesVerified v) {
              leaves = std::move(v.leaves);
              ++answers;
            }};
  }

  core::Verify piece(std::int32_t index) {
    core::Verify action;
    action.blocks = hashes->layout().blocks_of(core::PieceIndex(index));
    for (core::BlockIndex b = action.blocks.begin; b < action.blocks.end; ++b) {
      action.buffers.push_back(pool.copy(torrent.block(b)));
    }
    return action;
  }
  core::Verify block(std::int32_t index) {
    const core::BlockIndex b(index);
    core::Verify action{{}, {b, b + 1}, {pool.copy(torrent.block(b))}, sha256(torrent.block(b))};
    return action;
  }
  void free_all(const core::Verify& action) {
    for (const core::BufferId id : action.buffers) pool.release(id);
  }
  bool wait(int count) {
    return loop.run_until([&] { return answers == count; }, 30s);
  }

  Loop loop;
  BufferPool pool;
  SampleTorrent torrent;
  std::shared_ptr<TorrentHashes> hashes;
  std::map<core::BlockIndex, Outcome> outcomes;
  std::vector<Sha256> leaves;
  int answers = 0;
  std::unique_ptr<Hasher> hasher;
};

TEST_CASE("blocks are checked against their leaf and pieces against the metainfo") {
  HasherLimits limits;
  SUBCASE("on the loop thread") { limits.max_at_once = 1_MiB; }
  SUBCASE("on the thread pool") { limits.max_at_once = 0_B; }
  Rig rig(Versions::kHybrid, limits);
  core::Verify bad_block = rig.block(1);
  rig.pool.data(bad_block.buffers[0])[0] ^= 1;
  rig.hasher->verify(rig.hashes, rig.block(0));
  rig.hasher->verify(rig.hashes, bad_block);
  rig.hasher->verify(rig.hashes, rig.piece(1));
  rig.hasher->verify(rig.hashes, rig.piece(2));
  CHECK(rig.hasher->pending() == 4);
  CHECK(rig.hasher->pending_bytes() > 2 * core::kBlockSize);  // two blocks and two pieces
  CHECK(rig.answers == 0);                                    // never from within the call
  REQUIRE(rig.wait(4));
  CHECK(rig.hasher->pending_bytes() == 0_B);
  CHECK(rig.hasher->pending() == 0);
  CHECK(rig.outcomes[core::BlockIndex(0)].good);
  CHECK_FALSE(rig.outcomes[core::BlockIndex(1)].good);
  CHECK(rig.outcomes[core::BlockIndex(4)].verdict == Verdict::kGood);
  CHECK(rig.outcomes[core::BlockIndex(8)].verdict == Verdict::kGood);
}

TEST_CASE("buffers freed right after the request are still hashed as they were") {
  Rig rig(Versions::kHybrid);
  for (int i = 0; i < 200; ++i) {
    const core::Verify action = rig.piece(i % 4);
    rig.hasher->verify(rig.hashes, action);
    rig.free_all(action);
    const core::BufferId reused = rig.pool.allocate(16_KiB);
    std::ranges::fill(rig.pool.data(reused), std::uint8_t{0xee});
    rig.pool.release(reused);
  }
  REQUIRE(rig.wait(200));
  for (const auto& [block, outcome] : rig.outcomes) CHECK(outcome.good);
  CHECK(rig.loop.run_until([&] { return rig.pool.in_use() == 0; }, 30s));
}

TEST_CASE("a missing buffer or one of the wrong size makes the outcome bad") {
  Rig rig(Versions::kV1);
  core::Verify missing = rig.piece(0);
  rig.pool.release(missing.buffers[2]);
  core::Verify odd = rig.piece(1);
  odd.buffers[3] = rig.pool.allocate(100_B);
  core::Verify gone = rig.block(12);
  rig.free_all(gone);
  rig.hasher->verify(rig.hashes, missing);
  rig.hasher->verify(rig.hashes, odd);
  rig.hasher->verify(rig.hashes, gone);
  REQUIRE(rig.wait(3));
  for (const auto& [block, outcome] : rig.outcomes) CHECK_FALSE(outcome.good);
}

TEST_CASE("a v1 piece gives block digests when it fails and when it passes after that") {
  Rig rig(Versions::kV1);
  const core::BlockIndex first(4);
  rig.hasher->verify(rig.hashes, rig.piece(1));
  REQUIRE(rig.wait(1));
  CHECK(rig.outcomes[first].digests.empty());
  core::Verify bad = rig.piece(1);
  rig.pool.data(bad.buffers[2])[9] ^= 4;
  rig.hasher->verify(rig.hashes, bad);
  REQUIRE(rig.wait(2));
  const std::vector<Sha256> before = rig.outcomes[first].digests;
  rig.hasher->verify(rig.hashes, rig.piece(1));
  REQUIRE(rig.wait(3));
  const std::vector<Sha256> after = rig.outcomes[first].digests;
  REQUIRE((before.size() == 4 && after.size() == 4));
  for (std::size_t i = 0; i < 4; ++i) CHECK((before[i] == after[i]) == (i != 2));
}

TEST_CASE("versions that disagree reach the caller as such") {
  Rig rig(Versions::kHybrid);
  rig.torrent.info->piece_hashes[0] = {};
  rig.hasher->verify(rig.hashes, rig.piece(0));
  REQUIRE(rig.wait(1));
  CHECK(rig.outcomes[core::BlockIndex(0)].verdict == Verdict::kVersionsDisagree);
  CHECK_FALSE(rig.outcomes[core::BlockIndex(0)].good);
}

TEST_CASE("a peer's leaf hashes are checked") {
  Rig rig(Versions::kV2);
  const auto place = rig.hashes->place_of(core::PieceIndex(0));
  core::Hashes message{*place->tree->leaf_request(0), {}};
  for (int b = 0; b < 4; ++b)
    message.hashes.push_back(sha256(rig.torrent.block(core::BlockIndex(b))));
  rig.hasher->verify_hashes(rig.hashes, {{}, {}, core::PieceIndex(0), message});
  REQUIRE(rig.wait(1));
  CHECK(rig.leaves == message.hashes);
  message.hashes[0] = {};
  rig.hasher->verify_hashes(rig.hashes, {{}, {}, core::PieceIndex(0), message});
  REQUIRE(rig.wait(2));
  CHECK(rig.leaves.empty());
}

TEST_CASE("a hasher destroyed with jobs in flight answers no more") {
  Rig rig(Versions::kHybrid);
  for (int i = 0; i < 100; ++i) {
    const core::Verify action = rig.piece(i % 4);
    rig.hasher->verify(rig.hashes, action);
    rig.free_all(action);
  }
  SUBCASE("before the first of them began") {}
  SUBCASE("while the thread pool hashes them") {
    bool later = false;
    rig.loop.post([&] { later = true; });
    REQUIRE(rig.loop.run_until([&] { return later; }, 30s));
  }
  rig.answers = 0;
  rig.hasher.reset();
  CHECK(rig.loop.run_until([&] { return rig.pool.in_use() == 0; }, 30s));
  CHECK(rig.answers == 0);
}

TEST_CASE("a hasher may be destroyed by an answer") {
  Rig rig(Versions::kV2);
  Hasher::Events events;
  std::unique_ptr<Hasher> hasher;
  events.verified = [&](const core::Verified&, Verdict) {
    ++rig.answers;
    hasher.reset();
  };
  hasher = std::make_unique<Hasher>(rig.loop, rig.pool, std::move(events));
  hasher->verify(rig.hashes, rig.block(0));
  hasher->verify(rig.hashes, rig.block(1));
  bool later = false;
  REQUIRE(rig.wait(1));
  rig.loop.post([&] { later = true; });
  REQUIRE(rig.loop.run_until([&] { return later; }, 30s));
  CHECK(rig.answers == 1);
}

}  // namespace
}  // namespace tributary::net
