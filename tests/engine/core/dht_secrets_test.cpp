#include "engine/core/dht_secrets.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/engine/core/dht_rig.h"

namespace tributary::core::dht {
namespace {

const Endpoint kAsker = Endpoint::v4(198, 51, 100, 7, 6881);
constexpr TimePoint kStart = TimePoint(std::chrono::hours(3));

TEST_CASE("a token is good for five to ten minutes") {
  const Secrets secrets({1, 2, 3}, &toy_digest);
  const std::string token = secrets.token(kAsker, id_of(1), kStart);
  CHECK(token.size() == Secrets::kTokenSize);
  CHECK(secrets.accepts(token, kAsker, id_of(1), kStart));
  CHECK(secrets.accepts(token, kAsker, id_of(1), kStart + 599s));
  CHECK_FALSE(secrets.accepts(token, kAsker, id_of(1), kStart + 600s));
  const std::string late = secrets.token(kAsker, id_of(1), kStart + 299s);
  CHECK(secrets.accepts(late, kAsker, id_of(1), kStart + 599s));
}

TEST_CASE("a token is good for its address, its hash and its node only") {
  const Secrets secrets({1, 2, 3}, &toy_digest);
  const std::string token = secrets.token(kAsker, id_of(1), kStart);
  Endpoint other_port = kAsker;
  other_port.port = 1;
  CHECK(secrets.accepts(token, other_port, id_of(1), kStart));
  CHECK_FALSE(secrets.accepts(token, Endpoint::v4(198, 51, 100, 8, 6881), id_of(1), kStart));
  CHECK_FALSE(secrets.accepts(token, kAsker, id_of(2), kStart));
  CHECK_FALSE(Secrets({1, 2, 4}, &toy_digest).accepts(token, kAsker, id_of(1), kStart));
  CHECK_FALSE(secrets.accepts("", kAsker, id_of(1), kStart));
}

TEST_CASE("numbers follow from the key and do not come twice") {
  Secrets a({9}, &toy_digest);
  Secrets b({9}, &toy_digest);
  Secrets other({8}, &toy_digest);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t number = a.next();
    CHECK(number == b.next());
    seen.insert(number);
    seen.insert(other.next());
  }
  CHECK(seen.size() == 2000);
}

}  // namespace
}  // namespace tributary::core::dht
