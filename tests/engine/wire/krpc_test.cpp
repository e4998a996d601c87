#include "engine/wire/krpc.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

namespace dht = core::dht;

const dht::NodeId kAsker = dht::NodeId::from(as_octets("abcdefghij0123456789"));
const dht::NodeId kOther = dht::NodeId::from(as_octets("mnopqrstuvwxyz123456"));

// Both ways: the text stands for the message, and the message for the text.
void check_text(std::string_view text, const dht::Message& message) {
  CHECK(as_text(encode_krpc(message)) == text);
  const auto decoded = decode_krpc(as_octets(text));
  REQUIRE(decoded.ok());
  CHECK(*decoded == message);
}

bool refused(std::string_view text) { return !decode_krpc(as_octets(text)).ok(); }

dht::Query query(dht::Method method) {
  dht::Query q;
  q.method = method;
  q.id = kAsker;
  if (method != dht::Method::kPing) q.target = kOther;
  return q;
}

TEST_CASE("BEP 5's example queries are written and read byte for byte") {
  check_text("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
             {"aa", query(dht::Method::kPing), {}});
  check_text(
      "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:"
      "qe",
      {"aa", query(dht::Method::kFindNode), {}});
  check_text(
      "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1"
      ":qe",
      {"aa", query(dht::Method::kGetPeers), {}});
  dht::Query announce = query(dht::Method::kAnnouncePeer);
  announce.implied_port = true;
  announce.port = 6881;
  announce.token = "aoeusnth";
  check_text(
      "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:"
      "porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
      {"aa", announce, {}});
}

TEST_CASE("BEP 5's example answers are written and read byte for byte") {
  check_text("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
             {"aa", dht::Reply{kOther, {}, {}, ""}, {}});
  const dht::Reply peers{kAsker,
                         {},
                         {Endpoint::v4('a', 'x', 'j', 'e', '.' << 8 | 'u'),
                          Endpoint::v4('i', 'd', 'h', 't', 'n' << 8 | 'm')},
                         "aoeusnth"};
  check_text(
      "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
      {"aa", peers, {}});
  check_text("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
             {"aa", dht::ErrorReply{201, "A Generic Error Ocurred"}, {}});
}

TEST_CASE("wants, read-only, both families and the asker's address survive the way") {
  dht::Query q = query(dht::Method::kGetPeers);
  q.want_v4 = q.want_v6 = q.read_only = true;
  Endpoint v6;
  v6.address[0] = 0x20;
  v6.port = 9;
  const dht::Reply both{kOther, {{kAsker, Endpoint::v4(1, 2, 3, 4, 5)}, {kOther, v6}}, {v6}, "t"};
  for (const dht::Message& message :
       {dht::Message{"x", q, {}}, dht::Message{"yy", both, Endpoint::v4(9, 8, 7, 6, 5)}}) {
    const OctetBuffer bytes = encode_krpc(message);
    const auto decoded = decode_krpc(bytes);
    REQUIRE(decoded.ok());
    CHECK(*decoded == message);
  }
}

TEST_CASE("nodes and peers above the limits, or without a port, are left out") {
  dht::Reply reply{kOther, {}, {}, ""};
  for (std::uint8_t i = 0; i < 20; ++i) {
    reply.nodes.push_back({kAsker, Endpoint::v4(1, 2, 3, i, i == 0 ? 0 : 5)});
  }
  for (std::uint8_t i = 0; i < 150; ++i) {
    reply.peers.push_back(Endpoint::v4(1, 2, 3, i, i == 0 ? 0 : 5));
  }
  const auto decoded = decode_krpc(encode_krpc({"a", reply, {}}));
  REQUIRE(decoded.ok());
  const auto& read = std::get<dht::Reply>(decoded->body);
  CHECK(read.nodes.size() == dht::kBucketSize - 1);
  CHECK(read.nodes.front().endpoint == Endpoint::v4(1, 2, 3, 1, 5));
  CHECK(read.peers.size() == dht::kMaxPeersInReply);
  CHECK(read.peers.front() == Endpoint::v4(1, 2, 3, 1, 5));
}

TEST_CASE("what is no message is refused") {
  CHECK(refused(""));
  CHECK(refused("le"));
  CHECK(refused("d1:t2:aae"));
  CHECK(refused("d1:t2:aa1:y1:xe"));
  CHECK(refused("d1:t2:aa1:y1:qe"));
  CHECK(refused("d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe"));
  CHECK(refused("d1:ad2:id20:abcdefghij0123456789e1:q9:get_peers1:t2:aa1:y1:qe"));
  CHECK(refused("d1:ad2:id20:abcdefghij0123456789e1:q4:pong1:t2:aa1:y1:qe"));
  CHECK(refused("d1:rd2:id2:aae1:t2:aa1:y1:re"));
  CHECK(refused("d1:ele1:t2:aa1:y1:ee"));
  CHECK(refused("d1:el1:aee1:t2:aa1:y1:ee"));
  const std::string long_id(dht::kMaxTransactionSize + 1, 'x');
  CHECK(refused("d1:rd2:id20:mnopqrstuvwxyz123456e1:t33:" + long_id + "1:y1:re"));
}

TEST_CASE("an announce needs a token and a port, or the datagram's") {
  const std::string head = "d1:ad2:id20:abcdefghij0123456789";
  const std::string hash = "9:info_hash20:mnopqrstuvwxyz123456";
  const std::string tail = "e1:q13:announce_peer1:t2:aa1:y1:qe";
  CHECK(refused(head + hash + "4:porti1e" + tail));
  CHECK(refused(head + hash + "4:porti65536e5:token1:x" + tail));
  CHECK(refused(head + hash + "4:porti-1e5:token1:x" + tail));
  CHECK(refused(head + hash + "4:porti1e5:token65:" + std::string(65, 'x') + tail));
  CHECK_FALSE(refused(head + hash + "4:porti1e5:token1:x" + tail));
  CHECK_FALSE(refused(head + "12:implied_porti1e" + hash + "5:token1:x" + tail));
}

}  // namespace
}  // namespace tributary::wire
