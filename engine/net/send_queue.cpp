#include "engine/net/send_queue.h"

#include <utility>
#include <variant>

#include "engine/base/check.h"
#include "engine/wire/peer_codec.h"

namespace tributary::net {
namespace {

// Messages are written octet by octet: room for the first few at once.
constexpr std::size_t kFirstRoom = 64;

bool keeps_its_place(const core::Message& message) {
  return std::holds_alternative<core::Choke>(message) ||
         std::holds_alternative<core::Unchoke>(message);
}

}  // namespace

std::vector<wire::Octets> WriteBatch::parts() const {
  std::vector<wire::Octets> parts;
  parts.reserve(blocks_.size() * 2 + 1);
  const wire::Octets encoded(bytes_);
  std::size_t at = 0;
  for (const Block& block : blocks_) {
    parts.push_back(encoded.subspan(at, block.header_end - at));
    if (!block.payload.bytes().empty()) parts.push_back(block.payload.bytes());
    at = block.header_end;
  }
  if (at < encoded.size()) parts.push_back(encoded.subspan(at));
  return parts;
}

void SendQueue::push(const core::Message& message, const wire::ExtensionIds& peer_ids) {
  if (!lane_.empty() && keeps_its_place(message)) {
    wire::encode_message(message, peer_ids, lane_.emplace_back().message);
  } else {
    if (control_.empty()) control_.reserve(kFirstRoom);
    wire::encode_message(message, peer_ids, control_);
  }
}

void SendQueue::push_block(const core::BlockSpan& span, Payload payload) {
  TRIBUTARY_CHECK(std::ssize(payload.bytes()) == span.length.count());
  block_size_ += span.length;
  lane_.push_back({true, span, std::move(payload), {}});
}

void SendQueue::take_control(WriteBatch& batch) {
  wire::OctetBuffer messages = std::exchange(control_, {});  // an idle connection keeps no room
  if (batch.bytes_.empty()) {
    batch.bytes_ = std::move(messages);
  } else {
    wire::append(batch.bytes_, messages);
  }
}

Bytes SendQueue::take_block(WriteBatch& batch) {
  TRIBUTARY_CHECK(has_blocks());
  Entry entry = lane_.take_front();
  if (!entry.is_block) {
    wire::append(batch.bytes_, entry.message);
    return 0_B;
  }
  wire::append(batch.bytes_, wire::encode_piece_header(entry.span));
  block_size_ -= entry.span.length;
  batch.payload_ += entry.span.length;
  batch.blocks_.push_back({entry.span, std::move(entry.payload), batch.bytes_.size()});
  return entry.span.length;
}

}  // namespace tributary::net
