#include "engine/core/dht_node_id.h"

#include <doctest/doctest.h>

namespace tributary::core::dht {
namespace {

NodeId id_from(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t last) {
  NodeId id;
  id.bytes[0] = a;
  id.bytes[1] = b;
  id.bytes[2] = c;
  id.bytes[19] = last;
  return id;
}

TEST_CASE("the ids of BEP 42's examples fit their addresses") {
  CHECK(is_secure(id_from(0x5f, 0xbf, 0xbf, 1), Endpoint::v4(124, 31, 75, 21, 1)));
  CHECK(is_secure(id_from(0x5a, 0x3c, 0xe9, 0x56), Endpoint::v4(21, 75, 31, 124, 1)));
  CHECK(is_secure(id_from(0xa5, 0xd4, 0x32, 0x16), Endpoint::v4(65, 23, 51, 170, 1)));
  CHECK(is_secure(id_from(0x1b, 0x03, 0x21, 0x41), Endpoint::v4(84, 124, 73, 14, 1)));
  CHECK(is_secure(id_from(0xe5, 0x6f, 0x6c, 0x5a), Endpoint::v4(43, 213, 53, 83, 1)));
}

TEST_CASE("an id that does not fit its address is told, unless the address is local") {
  const NodeId id = id_from(0x5f, 0xbf, 0xbf, 2);
  CHECK_FALSE(is_secure(id, Endpoint::v4(124, 31, 75, 21, 1)));
  CHECK_FALSE(is_secure(id_from(0x5f, 0xbf, 0xb7, 1), Endpoint::v4(124, 31, 75, 21, 1)));
  CHECK(is_secure(id, Endpoint::v4(127, 0, 0, 1, 1)));
  CHECK(is_secure(id, Endpoint::v4(172, 31, 0, 1, 1)));
  CHECK_FALSE(is_secure(id, Endpoint::v4(172, 32, 0, 1, 1)));
  Endpoint link_local;
  link_local.address[0] = 0xfe;
  link_local.address[1] = 0x80;
  CHECK(is_secure(id, link_local));
}

TEST_CASE("an id made for an address fits it, and not the address of another network") {
  Random random(7);
  Endpoint v6;
  v6.address[0] = 0x20;
  v6.address[1] = 0x01;
  v6.address[5] = 0x77;
  for (const Endpoint& mine : {Endpoint::v4(198, 51, 100, 7, 6881), v6}) {
    const NodeId id = secure_id(mine, random);
    CHECK(is_secure(id, mine));
    CHECK_FALSE(is_secure(id, Endpoint::v4(203, 0, 113, 9, 6881)));
  }
}

TEST_CASE("shared bits are counted from the front") {
  const NodeId zero;
  CHECK(shared_bits(zero, zero) == 160);
  CHECK(shared_bits(zero, id_from(0x80, 0, 0, 0)) == 0);
  CHECK(shared_bits(zero, id_from(0, 0x10, 0, 0)) == 11);
  CHECK(shared_bits(zero, id_from(0, 0, 0, 1)) == 159);
  CHECK(distance(id_from(6, 0, 0, 0), id_from(5, 0, 0, 0)) == id_from(3, 0, 0, 0));
}

}  // namespace
}  // namespace tributary::core::dht
