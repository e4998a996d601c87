#include "engine/wire/merkle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::kDigester;
using testing::random_digest;

Sha256 pair(const Sha256& a, const Sha256& b) {
  OctetBuffer both;
  append(both, a.bytes);
  append(both, b.bytes);
  return testing::sha256(both);
}

std::vector<Sha256> random_leaves(Random& random, std::size_t n) {
  std::vector<Sha256> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(random_digest<Sha256>(random));
  return out;
}

// The definition of BEP 52 spelled out: all leaves, filled with zeros, halved to the root.
Sha256 naive_root(std::vector<Sha256> row) {
  row.resize(std::bit_ceil(row.size()));
  for (; row.size() > 1; row.resize(row.size() / 2)) {
    for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = pair(row[2 * i], row[2 * i + 1]);
  }
  return row.front();
}

core::FileEntry file_of(const FileHashes& hashes, std::size_t blocks) {
  core::FileEntry file;
  file.length = core::kBlockSize * static_cast<std::int64_t>(blocks) - 5_B;
  file.pieces_root = hashes.pieces_root;
  file.piece_layer = hashes.piece_layer;
  return file;
}

TEST_CASE("roots agree with the plain definition for all small trees and piece lengths") {
  Random random(1);
  for (std::size_t n = 1; n <= 40; ++n) {
    const auto leaves = random_leaves(random, n);
    for (Bytes piece_length : {16_KiB, 32_KiB, 64_KiB, 256_KiB}) {
      const FileHashes hashes = hash_file_tree(leaves, piece_length, kDigester);
      CHECK(hashes.pieces_root == naive_root(leaves));
      const auto per_piece = static_cast<std::size_t>(piece_length / core::kBlockSize);
      CHECK(hashes.piece_layer.size() == (n > per_piece ? (n + per_piece - 1) / per_piece : 0));
      if (n <= per_piece) continue;
      CHECK(piece_layer_matches(hashes.piece_layer, hashes.pieces_root, piece_length, kDigester));
      auto wrong = hashes.piece_layer;
      wrong.back().bytes[31] ^= 1;
      CHECK_FALSE(piece_layer_matches(wrong, hashes.pieces_root, piece_length, kDigester));
    }
  }
}

TEST_CASE("every request that a tree admits is served with hashes that prove its root") {
  Random random(2);
  const auto leaves = random_leaves(random, 11);
  const FileHashes hashes = hash_file_tree(leaves, 32_KiB, kDigester);
  const FileTree tree(file_of(hashes, leaves.size()), 32_KiB, kDigester);
  CHECK(tree.height() == 4);
  int served = 0;
  for (std::uint32_t base = 0; base < 6; ++base) {
    for (std::uint32_t length = 1; length <= 32; length *= 2) {
      for (std::uint32_t index = 0; index < 20; ++index) {
        for (std::uint32_t proof = 0; proof < 6; ++proof) {
          const core::HashSpan span{hashes.pieces_root, base, index, length, proof};
          const auto answer = tree.serve(span, leaves, kDigester);
          CHECK(answer.ok() == tree.check_request(span).ok());
          if (!answer) continue;
          ++served;
          const auto top = fold_hashes(span, *answer, kDigester);
          REQUIRE(top.ok());
          if (top->layer == tree.height()) CHECK(top->hash == hashes.pieces_root);
          if (proof + 1 + base == 4) CHECK(top->layer == tree.height());
        }
      }
    }
  }
  CHECK(served > 50);
}

TEST_CASE("leaf hashes of each piece are checked against the piece's root") {
  Random random(3);
  for (std::size_t blocks : {2, 3, 4, 5, 9, 16}) {
    const auto leaves = random_leaves(random, blocks);
    const FileHashes hashes = hash_file_tree(leaves, 64_KiB, kDigester);
    const FileTree tree(file_of(hashes, blocks), 64_KiB, kDigester);
    for (std::int32_t piece = 0; piece < static_cast<std::int32_t>((blocks + 3) / 4); ++piece) {
      const auto request = tree.leaf_request(piece);
      REQUIRE(request.has_value());
      core::Hashes message{*request, *tree.serve(*request, leaves, kDigester)};
      const auto good = tree.check_leaves(piece, message, kDigester);
      REQUIRE(good.ok());
      const auto at = leaves.begin() + piece * 4;
      const auto want = std::vector(at, at + std::min<std::ptrdiff_t>(4, leaves.end() - at));
      CHECK(*good == want);
      message.hashes.front().bytes[0] ^= 1;
      CHECK_FALSE(tree.check_leaves(piece, message, kDigester).ok());
      message.hashes.pop_back();
      CHECK_FALSE(tree.check_leaves(piece, message, kDigester).ok());
    }
    CHECK_FALSE(tree.check_leaves(100, {}, kDigester).ok());
    CHECK_FALSE(tree.check_leaves(-1, {}, kDigester).ok());
  }
}

TEST_CASE("a file of one block needs no leaf hashes and unknown leaves are not served") {
  Random random(4);
  const auto one = random_leaves(random, 1);
  const FileHashes single = hash_file_tree(one, 64_KiB, kDigester);
  CHECK(single.pieces_root == one.front());
  CHECK_FALSE(FileTree(file_of(single, 1), 64_KiB, kDigester).leaf_request(0).has_value());

  auto leaves = random_leaves(random, 8);
  const FileHashes hashes = hash_file_tree(leaves, 64_KiB, kDigester);
  const FileTree tree(file_of(hashes, 8), 64_KiB, kDigester);
  leaves[5] = Sha256{};
  CHECK(tree.serve(*tree.leaf_request(0), leaves, kDigester).ok());
  const auto unknown = tree.serve(*tree.leaf_request(1), leaves, kDigester);
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code == ErrorCode::kNotFound);
  // A piece's own leaves suffice, told where they begin.
  const std::span<const Sha256> all(leaves);
  const auto request = *tree.leaf_request(0);
  CHECK(*tree.serve(request, all.first(4), kDigester, 0) == *tree.serve(request, all, kDigester));
  CHECK_FALSE(tree.serve(request, all.subspan(1, 4), kDigester, 1).ok());
  CHECK_FALSE(tree.serve(*tree.leaf_request(1), all.first(4), kDigester, 0).ok());
}

TEST_CASE("hashes of impossible ranges or counts are refused") {
  const std::vector<Sha256> two(2);
  CHECK_FALSE(fold_hashes({{}, 0, 0, 3, 0}, std::vector<Sha256>(3), kDigester).ok());
  CHECK_FALSE(fold_hashes({{}, 0, 1, 2, 0}, two, kDigester).ok());
  CHECK_FALSE(fold_hashes({{}, 0, 0, 2, 1}, two, kDigester).ok());
  CHECK_FALSE(fold_hashes({{}, 0, 0, 0, 0}, {}, kDigester).ok());
  CHECK_FALSE(fold_hashes({{}, 0xffffffff, 0, 2, 0}, two, kDigester).ok());
  CHECK(fold_hashes({{}, 0, 0, 2, 0}, two, kDigester).ok());
}

}  // namespace
}  // namespace tributary::wire
