#include "engine/wire/utp_packet.h"

#include <doctest/doctest.h>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

UtpHeader sample() {
  return {UtpType::kData, UtpConnectionId(0x1234), 0x01020304, 0x05060708,
          0x000a0000,     UtpSeq(0xfffe),          UtpSeq(3)};
}

TEST_CASE("a header is written as BEP 29 lays it out") {
  const OctetBuffer expected{0x01, 0, 0x12, 0x34, 1, 2, 3,    4,    5, 6,
                             7,    8, 0,    0x0a, 0, 0, 0xff, 0xfe, 0, 3};
  CHECK(encode_utp(sample()) == expected);
}

TEST_CASE("a packet comes back as it was written") {
  const OctetBuffer mask{0x80, 0, 0, 1};
  OctetBuffer datagram = encode_utp(sample(), mask);
  append(datagram, testing::bytes("payload"));
  const auto packet = decode_utp(datagram);
  REQUIRE(packet.ok());
  CHECK(packet->header == sample());
  CHECK(OctetBuffer(packet->selective_ack.begin(), packet->selective_ack.end()) == mask);
  CHECK(as_text(packet->payload) == "payload");
}

TEST_CASE("unknown extensions are skipped, before and after a selective acknowledgement") {
  OctetBuffer datagram = encode_utp(sample());
  datagram[1] = 3;  // a reason to close, of 4 bytes; then the mask; then one without bytes
  append(datagram, OctetBuffer{1, 4, 9, 9, 9, 9, 77, 4, 5, 6, 7, 8, 0, 0, 'x'});
  const auto packet = decode_utp(datagram);
  REQUIRE(packet.ok());
  CHECK(packet->selective_ack.size() == 4);
  CHECK(packet->selective_ack[0] == 5);
  CHECK(as_text(packet->payload) == "x");
}

TEST_CASE("extensions that are cut off, or too many, make a packet invalid") {
  OctetBuffer datagram = encode_utp(sample());
  datagram[1] = 1;
  CHECK_FALSE(decode_utp(datagram).ok());
  append(datagram, OctetBuffer{0, 4, 1, 2, 3});
  CHECK_FALSE(decode_utp(datagram).ok());
  datagram = encode_utp(sample());
  datagram[1] = 9;
  for (int i = 0; i < kMaxUtpExtensions; ++i) append(datagram, OctetBuffer{9, 0});
  CHECK_FALSE(decode_utp(datagram).ok());
  datagram[datagram.size() - 2] = 0;
  CHECK(decode_utp(datagram).ok());
}

TEST_CASE("a longer selective acknowledgement than any window needs is cut") {
  OctetBuffer datagram = encode_utp(sample());
  datagram[1] = 1;
  append(datagram, OctetBuffer{0, 252});
  datagram.resize(datagram.size() + 252, 0xff);
  const auto packet = decode_utp(datagram);
  REQUIRE(packet.ok());
  CHECK(packet->selective_ack.size() == kMaxSelectiveAck);
  CHECK(packet->payload.empty());
}

TEST_CASE("what the DHT sends, other versions and short datagrams are no uTP") {
  CHECK_FALSE(looks_like_utp(testing::bytes("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping")));
  for (const int first : {0x01, 0x11, 0x21, 0x31, 0x41}) {
    OctetBuffer datagram(kUtpHeaderSize);
    datagram[0] = static_cast<std::uint8_t>(first);
    CHECK(looks_like_utp(datagram));
    datagram.pop_back();
    CHECK_FALSE(looks_like_utp(datagram));
  }
  for (const int first : {0x00, 0x02, 0x51, 0xf1}) {
    OctetBuffer datagram(kUtpHeaderSize);
    datagram[0] = static_cast<std::uint8_t>(first);
    CHECK_FALSE(decode_utp(datagram).ok());
  }
}

TEST_CASE("sequence numbers are compared across their wrap") {
  CHECK(UtpSeq(1) - UtpSeq(0xffff) == 2);
  CHECK(UtpSeq(0xffff) - UtpSeq(1) == -2);
  CHECK(UtpSeq(0xffff) + 1 == UtpSeq(0));
  CHECK(UtpSeq(0) + -1 == UtpSeq(0xffff));
}

}  // namespace
}  // namespace tributary::wire
