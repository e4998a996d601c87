#include "engine/wire/dht_state.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::wire {
namespace {

DhtState sample() {
  DhtState state;
  state.id.bytes[0] = 7;
  state.saved_at = 1'700'000'000s;
  Endpoint six;
  six.address[0] = 0x20;
  six.port = 9;
  state.nodes.push_back({{core::dht::NodeId(), Endpoint::v4(1, 2, 3, 4, 5)}, 90s});
  state.nodes.push_back({{state.id, six}, 0s});
  return state;
}

std::string text_of(const DhtState& state) { return std::string(as_text(encode_dht_state(state))); }

TEST_CASE("saved nodes of both families come back as they were") {
  const auto again = decode_dht_state(encode_dht_state(sample()));
  REQUIRE(again.ok());
  CHECK(*again == sample());
}

TEST_CASE("silences out of range are clamped when they are written") {
  DhtState state = sample();
  state.nodes[0].silent = Duration::max();
  state.nodes[1].silent = -5s;
  const auto again = decode_dht_state(encode_dht_state(state));
  REQUIRE(again.ok());
  CHECK(again->nodes[0].silent == std::chrono::seconds(UINT32_MAX));
  CHECK(again->nodes[1].silent == 0s);
}

TEST_CASE("a file that is no saved state is refused, whatever it is") {
  const std::string good = text_of(sample());
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    CHECK_FALSE(decode_dht_state(as_octets(good.substr(0, cut))).ok());
  }
  CHECK_FALSE(decode_dht_state(as_octets("de")).ok());
  CHECK_FALSE(decode_dht_state(as_octets("d2:id3:abc5:nodesle5:savedi1e7:versioni1ee")).ok());
  const std::string id = "d2:id20:abcdefghij0123456789";
  CHECK_FALSE(decode_dht_state(as_octets(id + "5:nodesle5:savedi-1e7:versioni1ee")).ok());
  CHECK_FALSE(
      decode_dht_state(as_octets(id + "5:nodesle5:savedi9223372036854775807e7:versioni1ee")).ok());
  CHECK(decode_dht_state(as_octets(id + "5:nodesle5:savedi1e7:versioni2ee")).error().code ==
        ErrorCode::kUnsupported);
  CHECK(decode_dht_state(OctetBuffer(kMaxDhtStateSize + 1, 'd')).error().code == ErrorCode::kLimit);
}

TEST_CASE("nodes of a wrong size or without a port are left out, the others taken") {
  DhtState state = sample();
  state.nodes[1].contact.endpoint.port = 0;
  const auto again = decode_dht_state(encode_dht_state(state));
  REQUIRE(again.ok());
  CHECK(again->nodes.size() == 1);
  const std::string odd = "d2:id20:abcdefghij01234567895:nodesl3:abci7elee5:savedi1e7:versioni1ee";
  REQUIRE(decode_dht_state(as_octets(odd)).ok());
  CHECK(decode_dht_state(as_octets(odd))->nodes.empty());
}

TEST_CASE("a state of more nodes than the limit is written up to it and read back") {
  DhtState state = sample();
  state.nodes.assign(kMaxDhtStateNodes + 100, state.nodes[1]);
  const auto again = decode_dht_state(encode_dht_state(state));
  REQUIRE(again.ok());
  CHECK(again->nodes.size() == kMaxDhtStateNodes);
}

}  // namespace
}  // namespace tributary::wire
