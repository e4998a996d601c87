#include "engine/core/dht_peer_store.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/core/dht_rig.h"

namespace tributary::core::dht {
namespace {

constexpr TimePoint kStart = TimePoint(100s);

Endpoint peer(std::uint8_t host, std::uint16_t port = 1) {
  return Endpoint::v4(10, 0, 0, host, port);
}

TEST_CASE("an announced peer is found for half an hour, and longer when it announces again") {
  PeerStore store;
  Random random(1);
  CHECK(store.announce(id_of(1), peer(1), kStart));
  CHECK(store.announce(id_of(1), peer(2), kStart + 60s));
  CHECK(store.peers(id_of(1), 10, random).size() == 2);
  CHECK(store.peers(id_of(2), 10, random).empty());
  CHECK(store.next_expiry() == kStart + 30min);
  CHECK(store.announce(id_of(1), peer(1), kStart + 20min));
  CHECK(store.peer_count() == 2);
  store.expire(kStart + 31min);
  CHECK(store.peers(id_of(1), 10, random) == std::vector<Endpoint>{peer(1)});
  store.expire(kStart + 50min);
  CHECK(store.peer_count() == 0);
  CHECK(store.hash_count() == 0);
  CHECK(store.next_expiry() == kNever);
}

TEST_CASE("an answer is a random choice without repetition") {
  PeerStore store;
  Random random(1);
  for (std::uint8_t i = 0; i < 50; ++i) store.announce(id_of(1), peer(i), kStart);
  auto first = store.peers(id_of(1), 10, random);
  auto second = store.peers(id_of(1), 10, random);
  CHECK(first != second);
  for (auto* each : {&first, &second}) {
    std::sort(each->begin(), each->end());
    CHECK(each->size() == 10);
    CHECK(std::unique(each->begin(), each->end()) == each->end());
  }
}

TEST_CASE("one address holds so many places and no more") {
  PeerStore store({.per_address = 5, .per_address_and_hash = 2});
  CHECK(store.announce(id_of(1), peer(1, 1), kStart));
  CHECK(store.announce(id_of(1), peer(1, 2), kStart));
  CHECK_FALSE(store.announce(id_of(1), peer(1, 3), kStart));
  CHECK(store.announce(id_of(1), peer(1, 2), kStart));  // again
  for (std::uint8_t i = 2; i <= 4; ++i) CHECK(store.announce(id_of(i), peer(1, 1), kStart));
  CHECK_FALSE(store.announce(id_of(5), peer(1, 1), kStart));
  CHECK(store.announce(id_of(5), peer(2, 1), kStart));
  CHECK(store.announce(id_of(5), peer(1, 1), kStart + 30min));  // the others are gone
  CHECK_FALSE(store.announce(id_of(5), peer(1, 0), kStart));
}

TEST_CASE("a full store takes from the largest swarm, its oldest peer first") {
  PeerStore store({.peers = 10});
  Random random(1);
  for (std::uint8_t i = 0; i < 8; ++i) {
    store.announce(id_of(1), peer(i), kStart + Duration(i));
  }
  store.announce(id_of(2), peer(100), kStart);
  store.announce(id_of(3), peer(101), kStart);
  for (std::uint8_t i = 0; i < 4; ++i) {
    CHECK(store.announce(id_of(static_cast<std::uint8_t>(4 + i)), peer(200), kStart + 1s));
  }
  CHECK(store.peer_count() == 10);
  CHECK(store.peer_count(id_of(2)) == 1);
  CHECK(store.peer_count(id_of(3)) == 1);
  auto left = store.peers(id_of(1), 10, random);
  std::sort(left.begin(), left.end());
  CHECK(left == std::vector<Endpoint>{peer(4), peer(5), peer(6), peer(7)});
}

TEST_CASE("a full swarm replaces its oldest peer") {
  PeerStore store({.per_hash = 3});
  Random random(1);
  for (std::uint8_t i = 0; i < 5; ++i) store.announce(id_of(1), peer(i), kStart + Duration(i));
  auto left = store.peers(id_of(1), 10, random);
  std::sort(left.begin(), left.end());
  CHECK(left == std::vector<Endpoint>{peer(2), peer(3), peer(4)});
}

TEST_CASE("however many announce, the store keeps its limits and its books") {
  const PeerStoreLimits limits{.peers = 100, .per_hash = 20, .per_address = 10};
  PeerStore store(limits);
  Random random(7);
  TimePoint now = kStart;
  for (int i = 0; i < 20'000; ++i) {
    now += Duration(static_cast<std::int64_t>(random.below(2'000'000)));
    const auto hash = static_cast<std::uint8_t>(random.below(random.below(40) + 1));
    const auto host = static_cast<std::uint8_t>(random.below(60));
    store.announce(id_of(hash), peer(host, static_cast<std::uint16_t>(random.below(5))), now);
    REQUIRE(store.peer_count() <= limits.peers);
    REQUIRE(store.peer_count(id_of(hash)) <= limits.per_hash);
  }
  std::size_t sum = 0;
  for (int hash = 0; hash < 40; ++hash)
    sum += store.peer_count(id_of(static_cast<std::uint8_t>(hash)));
  CHECK(sum == store.peer_count());
  store.expire(now + limits.lifetime);
  CHECK(store.peer_count() == 0);
}

}  // namespace
}  // namespace tributary::core::dht
