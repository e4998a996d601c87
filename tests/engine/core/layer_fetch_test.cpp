#include "engine/core/layer_fetch.h"

#include <doctest/doctest.h>

namespace tributary::core {
namespace {

const TimePoint kStart{};
constexpr ConnId kAnn{1};
constexpr ConnId kBob{2};

Sha256 named(std::uint8_t n) {
  Sha256 hash;
  hash.bytes[0] = n;
  return hash;
}

LayerSpan layer(std::uint8_t root, std::uint32_t count, std::uint32_t base = 2) {
  std::uint32_t height = base;
  while (std::uint32_t{1} << (height - base) < count) ++height;
  return {named(root), base, height, count};
}

Hashes answer(const HashSpan& span) {
  return {span, std::vector<Sha256>(span.length + 3, named(9))};
}

TEST_CASE("a layer is asked for in aligned parts that prove themselves up to the root") {
  LayerFetch fetch({layer(1, 1100), layer(2, 3)});
  const auto first = fetch.next_request(kAnn, kStart);
  REQUIRE(first.has_value());
  CHECK(*first == HashSpan{named(1), 2, 0, 512, 10});
  CHECK(fetch.next_request(kAnn, kStart) == HashSpan{named(1), 2, 512, 512, 10});
  CHECK(fetch.next_request(kAnn, kStart) == HashSpan{named(1), 2, 1024, 512, 10});
  CHECK(fetch.next_request(kAnn, kStart) == HashSpan{named(2), 2, 0, 4, 1});
  CHECK_FALSE(fetch.next_request(kAnn, kStart).has_value());
  CHECK_FALSE(fetch.next_request(kBob, kStart).has_value());
}

TEST_CASE("a layer is whole once its parts are verified, the filling cut off") {
  LayerFetch fetch({layer(1, 3), layer(2, 600), layer(1, 3)});
  while (const auto span = fetch.next_request(kAnn, kStart)) {
    CHECK_FALSE(fetch.complete());
    CHECK(fetch.on_hashes(kAnn, answer(*span)) == (span->pieces_root == named(1) ? 4U : 12U));
    CHECK_FALSE(fetch.on_hashes(kAnn, answer(*span)).has_value());
    fetch.on_verdict(kAnn, *span, true);
  }
  REQUIRE(fetch.complete());
  const auto layers = fetch.take();
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].size() == 3);
  CHECK(layers[1].size() == 600);
  CHECK(layers[2] == layers[0]);
}

TEST_CASE("what was not asked for, or is too short, is not verified") {
  LayerFetch fetch({layer(1, 4)});
  const HashSpan span{named(1), 2, 0, 4, 1};
  CHECK_FALSE(fetch.on_hashes(kAnn, answer(span)).has_value());
  REQUIRE(fetch.next_request(kAnn, kStart) == span);
  CHECK_FALSE(fetch.on_hashes(kBob, answer(span)).has_value());
  CHECK_FALSE(fetch.on_hashes(kAnn, {span, {named(1)}}).has_value());
  CHECK(fetch.on_hashes(kAnn, answer(span)).has_value());
}

TEST_CASE("what one rejects, leaves or sends wrong is asked of another, and not of him again") {
  for (int way = 0; way < 4; ++way) {
    CAPTURE(way);
    LayerFetch fetch({layer(1, 4)});
    const auto span = fetch.next_request(kAnn, kStart);
    REQUIRE(span.has_value());
    TimePoint now = kStart;
    if (way == 0) fetch.on_reject(kAnn, *span);
    if (way == 1) {
      REQUIRE(fetch.on_hashes(kAnn, answer(*span)).has_value());
      fetch.on_verdict(kAnn, *span, false);
    }
    if (way == 2) {
      CHECK(fetch.next_deadline() == kStart + kLayerTimeout);
      now += kLayerTimeout;
      fetch.on_time(now);
    }
    if (way == 3) fetch.forget(kAnn);
    CHECK_FALSE(fetch.under_way());
    if (way != 3) CHECK_FALSE(fetch.next_request(kAnn, now).has_value());
    CHECK(fetch.next_request(kBob, now) == span);
    CHECK(fetch.under_way());
  }
}

TEST_CASE("a verdict on what another peer gives meanwhile is not counted for it") {
  LayerFetch fetch({layer(1, 4)});
  const auto span = fetch.next_request(kAnn, kStart);
  REQUIRE(fetch.on_hashes(kAnn, answer(*span)).has_value());
  fetch.forget(kAnn);
  REQUIRE(fetch.next_request(kBob, kStart) == span);
  fetch.on_verdict(kAnn, *span, true);
  CHECK_FALSE(fetch.complete());
  REQUIRE(fetch.on_hashes(kBob, answer(*span)).has_value());
  fetch.on_verdict(kBob, *span, true);
  CHECK(fetch.complete());
}

TEST_CASE("a torrent without layers has them all") { CHECK(LayerFetch({}).complete()); }

}  // namespace
}  // namespace tributary::core
