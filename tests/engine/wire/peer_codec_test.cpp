#include "engine/wire/peer_codec.h"

#include <doctest/doctest.h>

#include <map>

#include "engine/wire/peer_message_ids.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using core::BlockSpan;
using core::Message;
using core::PieceIndex;
using testing::random_digest;

// Remembers payloads by id, and which were freed.
class Buffers : public PayloadBuffers {
 public:
  Buffer allocate(Bytes length) override {
    const core::BufferId id(++last_);
    OctetBuffer& memory = live[id];
    memory.resize(static_cast<std::size_t>(length.count()));
    return {id, memory};
  }
  void free(core::BufferId id) override { CHECK(live.erase(id) == 1); }
  std::map<core::BufferId, OctetBuffer> live;

 private:
  std::uint64_t last_ = 0;
};

std::vector<Message> samples() {
  Random random(1);
  const BlockSpan span{PieceIndex(7), 16384_B, 16384_B};
  const core::HashSpan hashes{random_digest<Sha256>(random), 1, 8, 4, 3};
  core::ExtendedHandshake handshake;
  handshake.client = "Tributary 0.1";
  handshake.request_queue = 250;
  handshake.upload_only = true;
  handshake.listen_port = 6881;
  handshake.your_ip = Endpoint::v4(10, 0, 0, 1, 0);
  handshake.dont_have = true;
  handshake.peer_exchange = true;
  handshake.metadata = true;
  handshake.metadata_size = 31235_B;
  handshake.tributary = true;
  handshake.hole_punch = true;
  handshake.overlay = true;
  core::ExtendedHandshake v6;
  v6.your_ip = Endpoint{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0};
  return {
      core::KeepAlive{},
      core::Choke{},
      core::Unchoke{},
      core::Interested{},
      core::NotInterested{},
      core::Have{PieceIndex(5)},
      core::BitfieldMessage{testing::random_bytes(random, 100'000)},
      core::HaveAll{},
      core::HaveNone{},
      core::Request{span},
      core::Cancel{span},
      core::RejectRequest{span},
      core::Port{65535},
      core::SuggestPiece{PieceIndex(INT32_MAX)},
      core::AllowedFast{PieceIndex(0)},
      core::DontHave{PieceIndex(9)},
      core::HashRequest{hashes},
      core::Hashes{hashes, {random_digest<Sha256>(random), random_digest<Sha256>(random)}},
      core::HashReject{hashes},
      handshake,
      v6,
      core::PeerExchange{{{Endpoint::v4(10, 0, 0, 1, 6881), true},
                          {Endpoint::v4(10, 0, 0, 2, 1), false},
                          {Endpoint{v6.your_ip->address, 6881}, true}},
                         {Endpoint::v4(10, 0, 0, 3, 6881), Endpoint{v6.your_ip->address, 6882}}},
      core::PeerExchange{},
      core::PeerExchange{{{.endpoint = Endpoint::v4(10, 0, 0, 1, 6881), .prefers_encryption = true},
                          {.endpoint = Endpoint::v4(10, 0, 0, 2, 6881), .utp = true},
                          {.endpoint = Endpoint{v6.your_ip->address, 1}, .hole_punch = true}},
                         {}},
      core::HolePunch{core::HolePunch::Kind::kRendezvous, Endpoint::v4(10, 0, 0, 1, 6881)},
      core::HolePunch{core::HolePunch::Kind::kConnect, Endpoint{v6.your_ip->address, 6881}},
      core::HolePunch{core::HolePunch::Kind::kError, Endpoint::v4(10, 0, 0, 1, 0),
                      core::HolePunch::Reason::kNoSupport},
      core::MetadataRequest{3},
      core::MetadataData{0, 40'000_B, testing::random_bytes(random, 16384)},
      core::MetadataData{2, 32'771_B, testing::bytes("e:d")},
      core::MetadataReject{INT32_MAX},
      core::NeedMessage{core::Need::kStoring},
      core::NeedMessage{core::Need::kPlaying},
      core::OverlayQuery{core::QueryId(UINT64_MAX), random_digest<InfoHash>(random), 1},
      core::OverlayAnswer{core::QueryId(1), true, {Endpoint::v4(10, 0, 0, 1, 6881)}},
      core::ExtendedHandshake{}};
}

TEST_CASE("a handshake is 68 bytes and survives the round trip with any bits") {
  Random random(2);
  for (int bits = 0; bits < 16; ++bits) {
    const core::Handshake h{random_digest<InfoHash>(random),
                            random_digest<PeerId>(random),
                            (bits & 1) != 0,
                            (bits & 2) != 0,
                            (bits & 4) != 0,
                            (bits & 8) != 0};
    const auto encoded = encode_handshake(h);
    CHECK(*decode_handshake(encoded) == h);
    for (std::size_t n = 0; n <= encoded.size(); ++n) {
      CHECK(is_handshake_prefix(Octets(encoded).first(n)));
    }
    auto wrong = encoded;
    wrong[5] ^= 1;
    CHECK_FALSE(decode_handshake(wrong).ok());
    CHECK_FALSE(is_handshake_prefix(Octets(wrong).first(6)));
  }
}

TEST_CASE("the reserved bits are those of the BEPs") {
  core::Handshake h;
  h.extended = true;
  CHECK(encode_handshake(h)[25] == 0x10);
  h.fast = true;
  CHECK(encode_handshake(h)[27] == 0x04);
  h.v2 = true;
  CHECK(encode_handshake(h)[27] == 0x14);
  h.dht = true;
  CHECK(encode_handshake(h)[27] == 0x15);
}

TEST_CASE("every message survives the round trip in portions of any size") {
  const auto messages = samples();
  OctetBuffer stream;
  for (const Message& m : messages) CHECK(encode_message(m, kOurExtensionIds, stream));
  for (std::size_t portion : {std::size_t{1}, std::size_t{3}, std::size_t{4096}, stream.size()}) {
    Buffers buffers;
    PeerDecoder decoder(buffers);
    std::vector<Message> out;
    for (std::size_t at = 0; at < stream.size(); at += portion) {
      const auto part = Octets(stream).subspan(at, std::min(portion, stream.size() - at));
      REQUIRE(decoder.feed(part, out).ok());
    }
    REQUIRE(out == messages);
  }
}

TEST_CASE("payloads land in the host's buffers, whatever surrounds and splits them") {
  Random random(3);
  OctetBuffer stream;
  std::vector<OctetBuffer> payloads;
  for (std::size_t size : {1U, 16384U, 16384U, 100U, 0U, 16000U, 5U}) {
    payloads.push_back(testing::random_bytes(random, size));
    const BlockSpan span{PieceIndex(2), 0_B, Bytes(static_cast<std::int64_t>(size))};
    append(stream, encode_piece_header(span));
    append(stream, payloads.back());
    encode_message(core::Have{PieceIndex(1)}, {}, stream);
  }
  for (std::size_t portion : {1U, 13U, 14U, 4096U, 5000U, 100'000U}) {
    Buffers buffers;
    PeerDecoder decoder(buffers);
    std::vector<Message> out;
    for (std::size_t at = 0; at < stream.size(); at += portion) {
      const std::size_t n = std::min<std::size_t>(portion, stream.size() - at);
      REQUIRE(decoder.feed(Octets(stream).subspan(at, n), out).ok());
    }
    REQUIRE(out.size() == 2 * payloads.size());
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      const auto& piece = std::get<core::Piece>(out[2 * i]);
      CHECK(piece.span.length == Bytes(static_cast<std::int64_t>(payloads[i].size())));
      if (payloads[i].empty()) CHECK(piece.buffer == core::kNoBuffer);
      if (!payloads[i].empty()) CHECK(buffers.live.at(piece.buffer) == payloads[i]);
    }
  }
}

TEST_CASE("a payload that is arriving tells how much of it is left") {
  Buffers buffers;
  PeerDecoder decoder(buffers);
  std::vector<Message> out;
  OctetBuffer head;
  append(head, encode_piece_header({PieceIndex(0), 0_B, 16_KiB}));
  head.push_back(42);
  REQUIRE(decoder.feed(head, out).ok());
  REQUIRE(buffers.live.size() == 1);
  CHECK(decoder.payload_left() == 16383);
  REQUIRE(decoder.feed(OctetBuffer(16383), out).ok());
  CHECK(decoder.payload_left() == 0);
  CHECK(out.size() == 1);
}

TEST_CASE("a payload that never becomes whole is freed") {
  Buffers buffers;
  {
    PeerDecoder decoder(buffers);
    std::vector<Message> out;
    const auto head = encode_piece_header({PieceIndex(0), 0_B, 16_KiB});
    REQUIRE(decoder.feed(head, out).ok());
    CHECK(buffers.live.size() == 1);
  }
  CHECK(buffers.live.empty());
}

OctetBuffer raw(std::uint32_t length, int id, std::size_t field_bytes, std::uint8_t fill = 0) {
  OctetBuffer out;
  append_u32(out, length);
  out.push_back(static_cast<std::uint8_t>(id));
  out.resize(out.size() + field_bytes, fill);
  return out;
}

TEST_CASE("messages of wrong lengths or over a limit end the stream for good") {
  const std::vector<std::pair<OctetBuffer, std::string>> table = {
      {raw(2, 0, 1), "message 0 of 1 bytes instead of 0"},
      {raw(4, 4, 3), "message 4 of 3 bytes instead of 4"},
      {raw(14, 6, 13), "message 6 of 13 bytes instead of 12"},
      {raw(5, 7, 4), "a piece message without its fields"},
      {raw(16394, 7, 8), "a piece message of 16385 bytes of payload, over the limit of 16 KiB"},
      {raw(5, 4, 4, 0xff), "a piece index over 2^31"},
      {raw(13, 6, 12, 0xff), "a piece index over 2^31"},
      {raw(266'241, 5, 0), "a message of 266241 bytes, over the limit of 266240"},
      {raw(0xffffffff, 5, 0), "a message of 4294967295 bytes, over the limit of 266240"},
      {raw(10, 22, 9), "a hashes message without its fields"},
      {raw(50, 22, 49), "a hashes message of broken hashes"},
      {raw(48, 21, 47), "message 21 of 47 bytes instead of 48"},
      {raw(1, 20, 0), "an extended message without its id"},
      {raw(3, 20, 2), "extended handshake: byte 0: not the beginning of a value"},
      {raw(4, 20, 3, 7), "lt_donthave of another size than 4 bytes"},
  };
  for (const auto& [bytes, message] : table) {
    Buffers buffers;
    PeerDecoder decoder(buffers);
    std::vector<Message> out;
    const auto result = decoder.feed(bytes, out);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message == message);
    CHECK(decoder.feed({}, out).error().message == message);
    CHECK(out.empty());
  }
}

TEST_CASE("unknown ids and extensions are passed over") {
  Buffers buffers;
  PeerDecoder decoder(buffers);
  std::vector<Message> out;
  REQUIRE(decoder.feed(raw(6, 99, 5), out).ok());
  REQUIRE(decoder.feed(raw(4, 20, 3, 55), out).ok());
  REQUIRE(decoder.feed(raw(1, 1, 0), out).ok());
  CHECK(out == std::vector<Message>{core::Unchoke{}});
}

TEST_CASE("lt_donthave goes out by the peer's number, and not to a peer that lacks it") {
  Buffers buffers;
  PeerDecoder decoder(buffers);
  std::vector<Message> messages;
  OctetBuffer out;
  CHECK_FALSE(encode_message(core::DontHave{PieceIndex(1)}, decoder.peer_ids(), out));
  CHECK(out.empty());
  const OctetBuffer handshake = testing::bytes("d1:md11:lt_donthavei33eee");
  OctetBuffer frame;
  append_u32(frame, static_cast<std::uint32_t>(handshake.size() + 2));
  frame.push_back(20);
  frame.push_back(0);
  append(frame, handshake);
  REQUIRE(decoder.feed(frame, messages).ok());
  CHECK(decoder.peer_ids().dont_have == 33);
  CHECK(encode_message(core::DontHave{PieceIndex(1)}, decoder.peer_ids(), out));
  CHECK(out == OctetBuffer{0, 0, 0, 6, 20, 33, 0, 0, 0, 1});
}

TEST_CASE("of a ut_pex message what is no address is left out") {
  using namespace std::string_view_literals;
  const auto decoded = decode_peer_exchange(
      as_octets("d5:added20:\x0a\0\0\1\x1a\xe1\x0a\0\0\2\0\0\x0a\0\0\3\x1a\xe1\x0a\0"
                "7:added.f1:\x02"
                "6:added65:\0\0\0\0\0"
                "7:droppedi5ee"sv));
  REQUIRE_MESSAGE(decoded.ok(), (decoded.ok() ? "" : decoded.error().message));
  CHECK(decoded->added ==
        std::vector<core::PeerExchange::Added>{{Endpoint::v4(10, 0, 0, 1, 6881), true},
                                               {Endpoint::v4(10, 0, 0, 3, 6881), false}});
  CHECK(decoded->dropped.empty());
  CHECK_FALSE(decode_peer_exchange(as_octets("i1e")).ok());
}

TEST_CASE("of a long ut_pex message only the first peers are taken") {
  core::PeerExchange message;
  for (int n = 0; n < 1000; ++n) {
    message.added.push_back({Endpoint::v4(10, 0, 0, 1, static_cast<std::uint16_t>(n + 1)), false});
  }
  const auto decoded = decode_peer_exchange(encode_peer_exchange(message));
  REQUIRE(decoded.ok());
  message.added.resize(kMaxExchangedPeers);
  CHECK(*decoded == message);
}

TEST_CASE("the flags of a ut_pex message are BEP 11's bits") {
  using namespace std::string_view_literals;
  const auto decoded = decode_peer_exchange(
      as_octets("d5:added24:\x0a\0\0\1\0\1\x0a\0\0\2\0\1\x0a\0\0\3\0\1\x0a\0\0\4\0\1"
                "7:added.f4:\x01\x04\x08\xf2"
                "e"sv));
  REQUIRE(decoded.ok());
  const auto at = [](std::uint8_t n) { return Endpoint::v4(10, 0, 0, n, 1); };
  CHECK(decoded->added ==
        std::vector<core::PeerExchange::Added>{{.endpoint = at(1), .prefers_encryption = true},
                                               {.endpoint = at(2), .utp = true},
                                               {.endpoint = at(3), .hole_punch = true},
                                               {.endpoint = at(4), .seed = true}});
}

std::optional<core::HolePunch> hole_punch_of(std::string_view bytes) {
  const auto decoded = decode_hole_punch(as_octets(bytes));
  REQUIRE(decoded.ok());
  return *decoded ? std::optional(std::get<core::HolePunch>(**decoded)) : std::nullopt;
}

TEST_CASE("a hole punch is BEP 55's bytes, and libtorrent's without a reason") {
  using namespace std::string_view_literals;
  using core::HolePunch;
  const HolePunch connect{HolePunch::Kind::kConnect, Endpoint::v4(10, 0, 0, 1, 6881)};
  CHECK(as_text(encode_hole_punch(connect)) == "\1\0\x0a\0\0\1\x1a\xe1\0\0\0\0"sv);
  CHECK(hole_punch_of("\1\0\x0a\0\0\1\x1a\xe1"sv) == connect);
  const HolePunch error{HolePunch::Kind::kError, Endpoint::v4(10, 0, 0, 1, 6881),
                        HolePunch::Reason::kNoSelf};
  CHECK(as_text(encode_hole_punch(error)) == "\2\0\x0a\0\0\1\x1a\xe1\0\0\0\4"sv);
  OctetBuffer stream;
  REQUIRE(encode_message(connect, {.hole_punch = 33}, stream));
  CHECK(as_text(stream) == "\0\0\0\x0e\x14\x21\1\0\x0a\0\0\1\x1a\xe1\0\0\0\0"sv);
  CHECK_FALSE(encode_message(connect, ExtensionIds{}, stream));
}

TEST_CASE("a hole punch of unknown kind is passed over, a broken one ends the connection") {
  using namespace std::string_view_literals;
  CHECK_FALSE(hole_punch_of("\3\0\x0a\0\0\1\x1a\xe1\0\0\0\0"sv));
  CHECK_FALSE(hole_punch_of("\1\2\x0a\0\0\1\x1a\xe1\0\0\0\0"sv));
  CHECK_FALSE(hole_punch_of("\xff\xff"sv));
  const std::string v6 = std::string("\0\1", 2) + std::string(18, '\7');
  CHECK(hole_punch_of(v6)->peer.port == 0x0707);
  const std::string_view broken[] = {""sv,
                                     "\0"sv,
                                     "\0\0"sv,
                                     "\0\0\x0a\0\0\1\x1a"sv,
                                     "\0\0\x0a\0\0\1\x1a\xe1\0"sv,
                                     "\0\0\x0a\0\0\1\x1a\xe1\0\0\0\0\0"sv,
                                     "\0\1\x0a\0\0\1\x1a\xe1"sv};
  for (const std::string_view bytes : broken) CHECK_FALSE(decode_hole_punch(as_octets(bytes)).ok());
  for (std::size_t n = 0; n < v6.size(); ++n) {
    CHECK_FALSE(decode_hole_punch(as_octets(std::string_view(v6).substr(0, n))).ok());
  }
}

TEST_CASE("odd values of an extended handshake are dropped, not trusted") {
  const auto decoded = decode_extended_handshake(as_octets(
      "d1:md11:lt_donthavei256e9:tributaryi0ee1:pi70000e4:reqqi-5e1:v3:a\nb6:yourip3:abce"));
  REQUIRE(decoded.ok());
  core::ExtendedHandshake want;
  want.client = "a?b";
  CHECK(decoded->handshake == want);
  CHECK(decode_extended_handshake(as_octets("d4:reqqi99999999999ee"))->handshake.request_queue ==
        INT32_MAX);
}

TEST_CASE("a need is one byte of three values; anything else ends the connection") {
  const auto decode = [](std::vector<std::uint8_t> fields) {
    OctetBuffer stream;
    append_u32(stream, static_cast<std::uint32_t>(fields.size() + 2));
    stream.push_back(20);
    stream.push_back(kNeedId);
    append(stream, fields);
    Buffers buffers;
    PeerDecoder decoder(buffers);
    std::vector<Message> out;
    const bool ok = decoder.feed(stream, out).ok();
    return ok ? std::get<core::NeedMessage>(out.at(0)).need == core::Need(fields[0]) : false;
  };
  for (const auto need : {core::Need::kStoring, core::Need::kPrefetching, core::Need::kPlaying}) {
    CHECK(decode({static_cast<std::uint8_t>(need)}));
  }
  CHECK_FALSE(decode({3}));
  CHECK_FALSE(decode({255}));
  CHECK_FALSE(decode({}));
  CHECK_FALSE(decode({1, 1}));
}

TEST_CASE("who does not name tributary_need is told none") {
  OctetBuffer out;
  CHECK_FALSE(encode_message(core::NeedMessage{core::Need::kPlaying}, ExtensionIds{}, out));
  CHECK(out.empty());
  const auto decoded = decode_extended_handshake(as_octets("d1:md14:tributary_needi5eee"));
  CHECK(decoded->handshake.need);
  CHECK(encode_message(core::NeedMessage{core::Need::kPlaying}, decoded->ids, out));
  CHECK(out == OctetBuffer{0, 0, 0, 3, 20, 5, 2});
}

TEST_CASE("random streams and flipped bits never crash and never leak a buffer") {
  Random random(5);
  OctetBuffer stream;
  for (const Message& m : samples()) {
    if (!std::holds_alternative<core::BitfieldMessage>(m))
      encode_message(m, kOurExtensionIds, stream);
  }
  append(stream, encode_piece_header({PieceIndex(0), 0_B, 64_B}));
  stream.resize(stream.size() + 64);
  std::size_t failed = 0;
  for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
    OctetBuffer flipped = stream;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    Buffers buffers;
    std::vector<Message> out;
    {
      PeerDecoder decoder(buffers);
      failed += decoder.feed(flipped, out).ok() ? 0 : 1;
    }
    std::size_t owned = 0;
    for (const Message& m : out) {
      const auto* piece = std::get_if<core::Piece>(&m);
      owned += piece != nullptr && piece->buffer != core::kNoBuffer ? 1 : 0;
    }
    REQUIRE(buffers.live.size() == owned);
  }
  CHECK(failed > 0);
}

TEST_CASE("ut_metadata messages are those of BEP 9") {
  CHECK(testing::text(encode_metadata(core::MetadataRequest{0})) == "d8:msg_typei0e5:piecei0ee");
  CHECK(testing::text(encode_metadata(core::MetadataReject{0})) == "d8:msg_typei2e5:piecei0ee");
  CHECK(testing::text(encode_metadata({0, 34256_B, testing::bytes("xyz")})) ==
        "d8:msg_typei1e5:piecei0e10:total_sizei34256eexyz");
  const auto unknown = decode_metadata(testing::bytes("d8:msg_typei7e5:piecei0ee"));
  REQUIRE(unknown.ok());
  CHECK_FALSE(unknown->has_value());
}

TEST_CASE("a ut_metadata message that is none ends the connection") {
  for (const char* text :
       {"", "i1e", "d5:piecei0ee", "d8:msg_typei0ee", "d8:msg_typei0e5:piecei-1ee",
        "d8:msg_typei0e5:piecei2147483648ee", "d8:msg_typei1e5:piecei0eex",
        "d8:msg_typei1e5:piecei0e10:total_sizei0eex", "d8:msg_typei0e5:piecei0e"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_metadata(testing::bytes(text)).ok());
  }
  core::MetadataData large{0, 100'000_B, {}};
  large.bytes.resize(16385);
  CHECK_FALSE(decode_metadata(encode_metadata(large)).ok());
}

TEST_CASE("a peer that does not understand ut_metadata is sent none") {
  OctetBuffer out;
  CHECK_FALSE(encode_message(core::MetadataRequest{0}, ExtensionIds{}, out));
  CHECK(out.empty());
}

}  // namespace
}  // namespace tributary::wire
