#include <doctest/doctest.h>

#include "engine/wire/peer_codec.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using core::OverlayAnswer;
using core::OverlayQuery;
using core::QueryId;

constexpr QueryId kId{0x0102030405060708};

InfoHash sought() {
  Random random(3);
  return testing::random_digest<InfoHash>(random);
}

Endpoint v6(std::uint16_t port) {
  return Endpoint{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, port};
}

template <class M>
M round_trip(const M& message) {
  const OctetBuffer dictionary = encode_overlay(message);
  const auto decoded = decode_overlay(dictionary);
  REQUIRE(decoded.ok());
  REQUIRE(decoded->has_value());
  return std::get<M>(**decoded);
}

bool refuses(std::string_view text) { return !decode_overlay(as_octets(text)).ok(); }

const std::string kHash(20, 'h');
// A query whose fields can be spoilt one by one.
std::string query(const std::string& hops, const std::string& id, const std::string& hash) {
  return "d4:hops" + hops + "2:id" + std::to_string(id.size()) + ":" + id + "9:info_hash" +
         std::to_string(hash.size()) + ":" + hash + "8:msg_typei0ee";
}
std::string answer(const std::string& rest) { return "d2:id8:12345678" + rest; }

TEST_CASE("a query survives the round trip, with each number of hops") {
  for (std::uint8_t hops = 1; hops <= core::kOverlayHops; ++hops) {
    const OverlayQuery message{kId, sought(), hops};
    CHECK(round_trip(message) == message);
  }
}

TEST_CASE("an answer survives the round trip: of the sender, of others, of nobody") {
  for (const bool self : {false, true}) {
    const OverlayAnswer message{kId, self, {Endpoint::v4(1, 2, 3, 4, 5), v6(6), v6(7)}};
    CHECK(round_trip(message) == message);
    CHECK(round_trip(OverlayAnswer{kId, self, {}}) == OverlayAnswer{kId, self, {}});
  }
}

TEST_CASE("a query is as large as the documents say, and the largest answer is taken") {
  OctetBuffer out;
  CHECK(encode_message(OverlayQuery{kId, sought(), 2}, kOurExtensionIds, out));
  CHECK(out.size() == 78);
  OverlayAnswer most{kId, true, {}};
  for (std::uint16_t n = 1; n <= core::kMaxOverlayPeers; ++n) most.peers.push_back(v6(n));
  CHECK(encode_overlay(most).size() <= kMaxOverlayMessage);
  CHECK(round_trip(most) == most);
}

TEST_CASE("a query with hops beyond the limit, or of another id or hash, ends the connection") {
  REQUIRE_FALSE(refuses(query("i2e", "12345678", kHash)));
  for (const char* hops : {"i0e", "i3e", "i-1e", "i256e", "i9223372036854775807e", "1:2", "le"}) {
    CAPTURE(hops);
    CHECK(refuses(query(hops, "12345678", kHash)));
  }
  CHECK(refuses(query("i2e", "1234567", kHash)));
  CHECK(refuses(query("i2e", "123456789", kHash)));
  CHECK(refuses(query("i2e", "", kHash)));
  CHECK(refuses(query("i2e", "12345678", std::string(19, 'h'))));
  CHECK(refuses(query("i2e", "12345678", std::string(21, 'h'))));
  CHECK(refuses(query("i2e", "12345678", std::string(32, 'h'))));
  CHECK(refuses(query("i2e", "12345678", "")));
  CHECK(refuses("d2:id8:123456788:msg_typei0ee"));
}

TEST_CASE("what is no dictionary, has no type or is too long ends the connection") {
  CHECK(refuses(""));
  CHECK(refuses("le"));
  CHECK(refuses("i0e"));
  CHECK(refuses("d2:id8:12345678e"));
  CHECK(refuses(answer("8:msg_typei1e") + "e!"));
  CHECK(refuses("d8:msg_typei1ee"));
  CHECK(refuses(answer("8:msg_typei1e5:peers2000:" + std::string(2000, 'p') + "e")));
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += 'l';
  CHECK(refuses("d1:a" + nested));
}

TEST_CASE("a type that is not known yet is passed over") {
  const auto decoded = decode_overlay(as_octets("d8:msg_typei7e1:xi1ee"));
  REQUIRE(decoded.ok());
  CHECK_FALSE(decoded->has_value());
}

TEST_CASE("of a list that is too long the first are taken, of both families together") {
  std::string v4;
  for (int n = 0; n < 30; ++n) v4 += std::string("\x01\x02\x03\x04\x00", 5) + char(n + 1);
  const std::string six(18 * 5, 'x');
  const auto taken = [](const std::string& text) {
    const auto decoded = decode_overlay(as_octets(text));
    REQUIRE(decoded.ok());
    return std::get<OverlayAnswer>(**decoded).peers;
  };
  auto peers = taken(answer("8:msg_typei1e5:peers180:" + v4 + "6:peers690:" + six + "e"));
  REQUIRE(peers.size() == core::kMaxOverlayPeers);
  CHECK(peers.back() == Endpoint::v4(1, 2, 3, 4, 20));
  peers = taken(answer("8:msg_typei1e5:peers108:" + v4.substr(0, 108) + "6:peers690:" + six + "e"));
  CHECK(peers.size() == core::kMaxOverlayPeers);
}

TEST_CASE("addresses without a port or cut off are left out, and lists of no text") {
  const auto taken = [](const std::string& text) {
    const auto decoded = decode_overlay(as_octets(answer("8:msg_typei1e") + text));
    REQUIRE(decoded.ok());
    return std::get<OverlayAnswer>(**decoded).peers;
  };
  const std::string no_port("\x01\x02\x03\x04\x00\x00", 6);
  CHECK(taken("5:peers6:" + no_port + "e").empty());
  CHECK(taken("5:peers10:abcdefghije") ==
        std::vector{Endpoint::v4('a', 'b', 'c', 'd', 'e' << 8 | 'f')});
  CHECK(taken("5:peersi5ee").empty());
  CHECK(taken("6:peers617:abcdefghijklmnopqe").empty());
}

TEST_CASE("who does not name tributary_query is asked nothing") {
  OctetBuffer out;
  CHECK_FALSE(encode_message(OverlayQuery{kId, sought(), 2}, ExtensionIds{}, out));
  CHECK_FALSE(encode_message(OverlayAnswer{kId, true, {}}, ExtensionIds{}, out));
  CHECK(out.empty());
  const auto decoded = decode_extended_handshake(as_octets("d1:md15:tributary_queryi5eee"));
  CHECK(decoded->handshake.overlay);
  CHECK(encode_message(OverlayQuery{kId, sought(), 2}, decoded->ids, out));
  CHECK(out[5] == 5);
}

}  // namespace
}  // namespace tributary::wire
