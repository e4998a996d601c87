#include "engine/wire/info_dictionary.h"

#include <doctest/doctest.h>

#include "engine/core/layer_fetch.h"
#include "engine/wire/merkle.h"
#include "engine/wire/metainfo.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::kDigester;

core::Metainfo torrent() {
  const Publication publication =
      testing::publish(1, 32_KiB, {{"a", 3'000'000}, {"b", 20'000}, {"c", 70'000}});
  auto built = build_metainfo(publication, kDigester);
  REQUIRE(built.ok());
  auto parsed = parse_metainfo(*built, kDigester);
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

// What a peer answers to the request.
core::Hashes answer(const core::Metainfo& meta, const core::HashSpan& span) {
  for (const core::FileEntry& file : meta.info.files) {
    if (file.pieces_root != span.pieces_root) continue;
    const FileTree tree(file, meta.info.piece_length, kDigester);
    auto hashes = tree.serve(span, {}, kDigester);
    REQUIRE(hashes.ok());
    return {span, *std::move(hashes)};
  }
  FAIL("no such file");
  return {};
}

TEST_CASE("an info dictionary and its layers by hash request are the torrent again") {
  const core::Metainfo whole = torrent();
  auto meta = parse_info_dictionary(whole.info_bytes, kDigester);
  REQUIRE(meta.ok());
  const auto layers = missing_layers(meta->info);
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].base == 1);
  CHECK(layers[0].count == 92);
  CHECK(layers[0].height == 8);
  core::LayerFetch fetch(layers);
  while (const auto span = fetch.next_request(core::ConnId(1), TimePoint{})) {
    const core::Hashes hashes = answer(whole, *span);
    const auto height = fetch.on_hashes(core::ConnId(1), hashes);
    REQUIRE(height.has_value());
    CHECK(is_part_of_layer(hashes, *height, kDigester));
    core::Hashes wrong = hashes;
    wrong.hashes[1].bytes[0] ^= 1;
    CHECK_FALSE(is_part_of_layer(wrong, *height, kDigester));
    CHECK_FALSE(is_part_of_layer(hashes, *height - 1, kDigester));
    fetch.on_verdict(core::ConnId(1), *span, true);
  }
  REQUIRE(fetch.complete());
  CHECK(add_layers(meta->info, fetch.take(), kDigester).ok());
  CHECK(missing_layers(meta->info).empty());
  for (std::size_t i = 0; i < whole.info.files.size(); ++i) {
    CHECK(meta->info.files[i].piece_layer == whole.info.files[i].piece_layer);
  }
  CHECK(meta->info.v1_hash == whole.info.v1_hash);
  CHECK(meta->info.v2_hash == whole.info.v2_hash);
  CHECK(meta->info_bytes == whole.info_bytes);
}

TEST_CASE("layers that are wrong, too few or too short are refused") {
  const core::Metainfo whole = torrent();
  auto meta = parse_info_dictionary(whole.info_bytes, kDigester);
  REQUIRE(meta.ok());
  std::vector<std::vector<Sha256>> layers;
  for (const core::FileEntry& file : whole.info.files) {
    if (!file.piece_layer.empty()) layers.push_back(file.piece_layer);
  }
  auto wrong = layers;
  wrong[1][0].bytes[3] ^= 1;
  CHECK_FALSE(add_layers(meta->info, wrong, kDigester).ok());
  meta = parse_info_dictionary(whole.info_bytes, kDigester);
  CHECK_FALSE(add_layers(meta->info, {layers[0]}, kDigester).ok());
  meta = parse_info_dictionary(whole.info_bytes, kDigester);
  layers[0].pop_back();
  CHECK_FALSE(add_layers(meta->info, layers, kDigester).ok());
}

TEST_CASE("a hybrid without layers can be kept as a v1 torrent") {
  const core::Metainfo whole = torrent();
  auto meta = parse_info_dictionary(whole.info_bytes, kDigester);
  REQUIRE(meta.ok());
  keep_v1_only(meta->info);
  CHECK_FALSE(meta->info.has_v2());
  CHECK(meta->info.v1_hash == whole.info.v1_hash);
  CHECK(meta->info.piece_hashes == whole.info.piece_hashes);
  CHECK(meta->info.total_size == whole.info.total_size);
  CHECK(missing_layers(meta->info).empty());
}

TEST_CASE("an info dictionary must hash to all that the link says") {
  const core::Metainfo whole = torrent();
  const Magnet link = magnet_of(whole);
  CHECK(is_info_of(link, whole.info_bytes, kDigester));
  Magnet v1 = link;
  v1.v2_hash.reset();
  CHECK(is_info_of(v1, whole.info_bytes, kDigester));
  Magnet other = link;
  other.v2_hash->bytes[0] ^= 1;
  CHECK_FALSE(is_info_of(other, whole.info_bytes, kDigester));
  CHECK_FALSE(parse_info_dictionary(testing::bytes("i1e"), kDigester).ok());
}

}  // namespace
}  // namespace tributary::wire
