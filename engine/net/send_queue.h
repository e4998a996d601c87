// What one connection has to send, in the order in which it goes out. Pure: no sockets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/fifo.h"
#include "engine/base/units.h"
#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/net/payload.h"
#include "engine/wire/octets.h"
#include "engine/wire/peer_codec.h"

namespace tributary::net {

// One write to the socket: encoded messages and payloads in sequence, without a copy of the latter.
class WriteBatch {
 public:
  struct Block {
    core::BlockSpan span;
    Payload payload;
    std::size_t header_end = 0;  // the payload follows this many encoded bytes
  };

  bool empty() const { return bytes_.empty(); }
  // Already encoded bytes, such as a handshake.
  void append(wire::Octets bytes) { wire::append(bytes_, bytes); }
  Bytes size() const { return Bytes(std::ssize(bytes_)) + payload_; }
  Bytes payload_size() const { return payload_; }
  // The parts to write, in order; valid until the batch changes.
  std::vector<wire::Octets> parts() const;
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  friend class SendQueue;
  wire::OctetBuffer bytes_;  // all but payloads
  std::vector<Block> blocks_;
  Bytes payload_;
};

// Two lanes: blocks wait for the upload limit, other messages overtake them, so that a request
// never waits behind a slow upload. Choke and unchoke keep their place among the blocks they
// govern.
class SendQueue {
 public:
  // `peer_ids` as in wire::encode_message; what the peer does not understand is dropped.
  void push(const core::Message& message, const wire::ExtensionIds& peer_ids);
  // A piece message.
  void push_block(const core::BlockSpan& span, Payload payload);

  Bytes control_size() const { return Bytes(std::ssize(control_)); }
  Bytes block_size() const { return block_size_; }
  bool has_control() const { return !control_.empty(); }
  bool has_blocks() const { return !lane_.empty(); }
  bool empty() const { return control_.empty() && lane_.empty(); }

  // Moves all messages that wait for nothing into the batch.
  void take_control(WriteBatch& batch);
  // Moves the next entry of the block lane into the batch; returns its payload's size.
  // REQUIRES: has_blocks().
  Bytes take_block(WriteBatch& batch);

 private:
  struct Entry {
    bool is_block = false;
    core::BlockSpan span;
    Payload payload;
    wire::OctetBuffer message;  // choke or unchoke
  };

  wire::OctetBuffer control_;
  Fifo<Entry> lane_;
  Bytes block_size_;
};

}  // namespace tributary::net
