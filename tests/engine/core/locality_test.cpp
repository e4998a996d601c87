#include "engine/core/locality.h"

#include <doctest/doctest.h>

namespace tributary::core {
namespace {

Endpoint v6(std::uint16_t third, std::uint8_t seventh, std::uint8_t last) {
  Endpoint e;
  e.address = {0x20,
               0x01,
               0x0d,
               0xb8,
               static_cast<std::uint8_t>(third >> 8),
               static_cast<std::uint8_t>(third),
               seventh};
  e.address[15] = last;
  return e;
}

TEST_CASE("priorities are those that BEP 40 gives as examples") {
  const Endpoint client = Endpoint::v4(123, 213, 32, 10, 0);
  CHECK(canonical_priority(client, Endpoint::v4(98, 76, 54, 32, 0)) == 0xec2d7224);
  CHECK(canonical_priority(client, Endpoint::v4(123, 213, 32, 234, 0)) == 0x99568189);
}

TEST_CASE("both ends of a connection come to the same priority") {
  const Endpoint a = Endpoint::v4(123, 213, 32, 10, 1);
  for (const Endpoint& b :
       {Endpoint::v4(9, 8, 7, 6, 2), Endpoint::v4(123, 213, 200, 10, 2),
        Endpoint::v4(123, 213, 32, 11, 2), Endpoint::v4(123, 213, 32, 10, 2), v6(1, 2, 3)}) {
    CHECK(canonical_priority(a, b) == canonical_priority(b, a));
  }
}

TEST_CASE("addresses that share no more than their network count by few bits, others by all") {
  const Endpoint far = Endpoint::v4(9, 8, 7, 6, 0);
  // 0x10 and 0x12 are one under the mask of 0x55, 0x10 and 0x11 are not.
  CHECK(canonical_priority(far, Endpoint::v4(1, 2, 3, 0x10, 0)) ==
        canonical_priority(far, Endpoint::v4(1, 2, 3, 0x12, 0)));
  CHECK(canonical_priority(far, Endpoint::v4(1, 2, 3, 0x10, 0)) !=
        canonical_priority(far, Endpoint::v4(1, 2, 3, 0x11, 0)));
  const Endpoint near = Endpoint::v4(1, 2, 3, 99, 0);
  CHECK(canonical_priority(near, Endpoint::v4(1, 2, 3, 0x10, 0)) !=
        canonical_priority(near, Endpoint::v4(1, 2, 3, 0x12, 0)));
  CHECK(canonical_priority(v6(1, 0, 9), v6(2, 0, 0x10)) ==
        canonical_priority(v6(1, 0, 9), v6(2, 0, 0x12)));
  // Of one /48 the next byte counts whole.
  CHECK(canonical_priority(v6(1, 0, 9), v6(1, 0x10, 9)) !=
        canonical_priority(v6(1, 0, 9), v6(1, 0x12, 9)));
  CHECK(canonical_priority(v6(1, 0, 9), v6(2, 0x10, 9)) ==
        canonical_priority(v6(1, 0, 9), v6(2, 0x12, 9)));
}

TEST_CASE("ports count between equal addresses alone") {
  const auto at = [](std::uint16_t port) { return Endpoint::v4(1, 2, 3, 4, port); };
  CHECK(canonical_priority(at(1), at(2)) != canonical_priority(at(1), at(3)));
  CHECK(canonical_priority(at(1), Endpoint::v4(1, 2, 3, 5, 9)) ==
        canonical_priority(at(2), Endpoint::v4(1, 2, 3, 5, 8)));
}

TEST_CASE("the same subnet is nearer than the same operator, and that nearer than elsewhere") {
  OperatorTable table;
  table.add(Endpoint::v4(21, 0, 0, 0, 0), 96 + 8, "ours");
  table.add(Endpoint::v4(21, 9, 0, 0, 0), 96 + 16, "theirs");
  table.add(Endpoint::v4(20, 0, 0, 0, 0), 96 + 8, "ours");
  Locality locality(&table);
  const Endpoint own = Endpoint::v4(21, 1, 1, 1, 6881);
  CHECK(locality.rank(own) == AddressRank{});  // nothing of the world is near before ours is known
  CHECK(locality.rank(Endpoint::v4(192, 168, 1, 2, 1)).nearness == Nearness::kSubnet);
  locality.set_own(own);
  CHECK(locality.rank(Endpoint::v4(21, 1, 1, 2, 1)).nearness == Nearness::kSubnet);
  CHECK(locality.rank(Endpoint::v4(21, 1, 2, 2, 1)).nearness == Nearness::kOperator);
  CHECK(locality.rank(Endpoint::v4(20, 1, 2, 2, 1)).nearness == Nearness::kOperator);
  CHECK(locality.rank(Endpoint::v4(21, 9, 2, 2, 1)).nearness == Nearness::kElsewhere);
  CHECK(locality.rank(Endpoint::v4(30, 1, 2, 2, 1)).nearness == Nearness::kElsewhere);
  CHECK(locality.rank(v6(1, 2, 3)).nearness == Nearness::kElsewhere);
  CHECK(locality.rank(Endpoint::v4(21, 1, 1, 2, 1)) < locality.rank(Endpoint::v4(30, 1, 2, 2, 1)));
}

TEST_CASE("of two equally near the one of the higher priority ranks first") {
  Locality locality;
  const Endpoint own = Endpoint::v4(123, 213, 32, 10, 1);
  locality.set_own(own);
  const Endpoint a = Endpoint::v4(98, 76, 54, 32, 1);
  const Endpoint b = Endpoint::v4(99, 77, 55, 33, 1);
  CHECK((locality.rank(a) < locality.rank(b)) ==
        (canonical_priority(own, a) > canonical_priority(own, b)));
}

TEST_CASE("an address that no operator has is near to nobody by its operator") {
  OperatorTable table;
  table.add(Endpoint::v4(21, 0, 0, 0, 0), 96 + 8, "theirs");
  Locality locality(&table);
  locality.set_own(Endpoint::v4(20, 1, 1, 1, 6881));
  CHECK(locality.rank(Endpoint::v4(20, 2, 2, 2, 1)).nearness == Nearness::kElsewhere);
}

}  // namespace
}  // namespace tributary::core
