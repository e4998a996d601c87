#include "engine/net/send_queue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/wire/peer_codec.h"

namespace tributary::net {
namespace {

constexpr core::BlockSpan kSpan{core::PieceIndex(2), 16_KiB, 5_B};

wire::OctetBuffer joined(const WriteBatch& batch) {
  wire::OctetBuffer out;
  for (const wire::Octets part : batch.parts()) wire::append(out, part);
  return out;
}

wire::OctetBuffer piece(std::uint8_t fill) {
  wire::OctetBuffer out;
  wire::append(out, wire::encode_piece_header(kSpan));
  out.insert(out.end(), 5, fill);
  return out;
}

wire::OctetBuffer encoded(const core::Message& message) {
  wire::OctetBuffer out;
  wire::encode_message(message, wire::ExtensionIds{}, out);
  return out;
}

void operator+=(wire::OctetBuffer& out, const wire::OctetBuffer& more) { wire::append(out, more); }

Payload payload(std::uint8_t fill) { return std::vector<std::uint8_t>(5, fill); }

TEST_CASE("a batch is the bytes of its messages and payloads in order, payloads not copied") {
  SendQueue queue;
  WriteBatch batch;
  queue.push(core::Interested{}, {});
  queue.push_block(kSpan, payload(1));
  queue.push_block(kSpan, payload(2));
  CHECK(queue.block_size() == 10_B);
  queue.take_control(batch);
  CHECK(queue.take_block(batch) == 5_B);
  CHECK(queue.take_block(batch) == 5_B);
  CHECK(queue.empty());
  wire::OctetBuffer expected = encoded(core::Interested{});
  expected += piece(1);
  expected += piece(2);
  CHECK(joined(batch) == expected);
  CHECK(batch.size() == Bytes(std::ssize(expected)));
  CHECK(batch.payload_size() == 10_B);
  CHECK(batch.parts()[1].data() == batch.blocks()[0].payload.bytes().data());
}

TEST_CASE("choke and unchoke stay behind the blocks before them, others do not") {
  SendQueue queue;
  WriteBatch batch;
  queue.push_block(kSpan, payload(1));
  queue.push(core::Choke{}, {});
  queue.push(core::Have{core::PieceIndex(9)}, {});
  queue.push(core::Unchoke{}, {});
  queue.take_control(batch);
  while (queue.has_blocks()) queue.take_block(batch);
  wire::OctetBuffer expected = encoded(core::Have{core::PieceIndex(9)});
  expected += piece(1);
  expected += encoded(core::Choke{});
  expected += encoded(core::Unchoke{});
  CHECK(joined(batch) == expected);
}

TEST_CASE("without blocks waiting all messages go out in the order given") {
  SendQueue queue;
  WriteBatch batch;
  queue.push(core::Choke{}, {});
  queue.push(core::Unchoke{}, {});
  queue.push(core::NotInterested{}, {});
  CHECK_FALSE(queue.has_blocks());
  queue.take_control(batch);
  wire::OctetBuffer expected = encoded(core::Choke{});
  expected += encoded(core::Unchoke{});
  expected += encoded(core::NotInterested{});
  CHECK(joined(batch) == expected);
}

TEST_CASE("what the peer does not understand is not sent") {
  SendQueue queue;
  queue.push(core::DontHave{core::PieceIndex(1)}, {});
  CHECK(queue.empty());
  queue.push(core::DontHave{core::PieceIndex(1)}, {.dont_have = 7});
  CHECK(queue.has_control());
}

}  // namespace
}  // namespace tributary::net
