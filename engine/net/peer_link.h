// One connection to a peer: handshake, messages in, messages and blocks out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/encryption.h"
#include "engine/core/events.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/byte_stream.h"
#include "engine/net/link_encryption.h"
#include "engine/net/send_queue.h"
#include "engine/wire/peer_codec.h"

namespace tributary::net {

struct LinkStats {
  Bytes payload_in;  // of piece messages
  Bytes payload_out;
  Bytes overhead_in;  // all other bytes, handshakes included; what TCP, uTP and IP add is not
  Bytes overhead_out;

  LinkStats& operator+=(const LinkStats& other) {
    payload_in += other.payload_in;
    payload_out += other.payload_out;
    overhead_in += other.overhead_in;
    overhead_out += other.overhead_out;
    return *this;
  }
};

class PeerLink;

// What a link asks of and tells its owner. `link` is usable during each call.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  virtual std::span<std::uint8_t> read_space() = 0;
  // Room for the messages of one read; empty, and left so.
  virtual std::vector<core::Message>& message_space() = 0;
  virtual void on_read(PeerLink& link, Bytes size) = 0;
  // False: no more messages are to be decoded for now; on_stalled() follows.
  virtual bool may_receive() = 0;
  // Call resume_reading() when it may go on.
  virtual void on_stalled(PeerLink& link) = 0;
  // Whether incoming connections may, or must, be encrypted, and by which info-hashes.
  virtual core::EncryptionMode encryption_mode() const = 0;
  virtual std::vector<InfoHash> served() const = 0;
  // The remote's handshake is in. An incoming link is to be given its side by answer(); an error
  // refuses the connection.
  virtual Result<void> on_handshake(PeerLink& link, const core::Handshake& remote) = 0;
  virtual void on_message(PeerLink& link, core::Message message) = 0;
  virtual void on_block_sent(PeerLink& link, const core::BlockSpan& span) = 0;
  // The last write is done; more may be written.
  virtual void on_writable(PeerLink& link) = 0;
  virtual void on_connected(PeerLink& link) = 0;
  virtual void on_closing(PeerLink& link, const std::string& reason) = 0;
  // The last call; the link is gone when it returns.
  virtual void on_closed(PeerLink& link) = 0;
};

// So much is decoded at once, but for the rest of a payload, and so many buffers it may ask for:
// piece messages with one byte each.
inline constexpr std::size_t kStep = 4096;
inline constexpr std::int32_t kBuffersPerStep = 320;
static_assert(kBuffersPerStep > kStep / (wire::kPieceHeaderSize + 1));

// Created by its owner, deletes itself once its stream is closed: after close() the owner
// gets on_closed() on a later turn, after abandon() nothing more. Loop thread only.
class PeerLink final : private wire::PayloadBuffers, private StreamOwner {
 public:
  enum class State : std::uint8_t { kNew, kConnecting, kHandshaking, kOpen, kClosing };

  // `stream` is connected if the link is inbound, else it is to be dialled.
  PeerLink(LinkOwner& owner, BufferPool& pool, std::unique_ptr<ByteStream> stream,
           core::ConnId conn, bool inbound);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  // Outgoing: opens the connection and sends our handshake, encrypted or not.
  void dial(const core::Connect& action, bool encrypted);
  // Incoming: begins to read.
  void accept();
  // Incoming, within on_handshake(): which torrent it is about, and our handshake.
  void answer(core::TorrentId torrent, const core::Handshake& ours);
  // Both, within on_handshake(): the handshakes match, messages may flow.
  void open();
  void close(const std::string& reason);
  void abandon();

  void send(const core::Message& message);
  void send_block(const core::BlockSpan& span, Payload payload);
  const SendQueue& queue() const { return queue_; }
  // Whether take_block() would bring the next block closer to the socket now.
  bool wants_block() const;
  Bytes take_block();
  // Writes what was taken, and all other messages, unless a write is still going on.
  void flush();

  void pause_reading();
  // Goes on reading; first handles what was read and might not be received.
  void resume_reading();

  State state() const { return state_; }
  core::ConnId conn() const { return conn_; }
  core::TorrentId torrent() const { return torrent_; }
  bool inbound() const { return inbound_; }
  bool is_utp() const { return stream_->is_utp(); }
  const Endpoint& remote() const { return remote_; }
  // Of an outgoing link that is not open yet.
  const core::Connect& dialled() const { return *dialled_; }
  const LinkStats& stats() const { return stats_; }
  core::Encryption encryption() const {
    return encryption_ ? encryption_->level() : core::Encryption::kNone;
  }
  // The remote has closed an outgoing connection at our plain handshake, without a word: it may
  // want an encrypted one.
  bool refused_plain() const { return refused_plain_; }
  // It is not to be dialled again.
  void give_up() { refused_plain_ = false; }

  // Kept by the owner: when the link is to be given up, and which of the owner's lists it is in.
  TimePoint deadline{};
  bool reported = false;  // the host knows of it
  bool in_dirty = false;
  bool in_uploads = false;
  bool in_paused = false;

 private:
  ~PeerLink() override = default;
  Buffer allocate(Bytes length) override;
  void free(core::BufferId id) override;

  // StreamOwner
  void on_stream_connected() override;
  std::span<std::uint8_t> stream_space() override { return owner_->read_space(); }
  void on_stream_bytes(std::span<std::uint8_t> bytes) override;
  void on_stream_written() override;
  void on_stream_failed(const std::string& reason) override;
  void on_stream_closed() override;

  void begin_handshake();
  void send_handshake();
  void start_reading();
  // What of it belongs to the peer protocol.
  wire::Octets decrypt(std::span<std::uint8_t> bytes);
  // Returns what was not consumed.
  wire::Octets take_handshake(wire::Octets bytes);
  wire::Octets take_messages(wire::Octets bytes);
  void deliver(core::Message message);

  LinkOwner* owner_;  // null once abandoned
  BufferPool& pool_;
  core::ConnId conn_;
  core::TorrentId torrent_;
  bool inbound_;
  State state_ = State::kNew;
  bool reading_ = false;
  bool stalled_ = false;
  bool dials_encrypted_ = false;
  bool refused_plain_ = false;
  Endpoint remote_;
  std::unique_ptr<const core::Connect> dialled_;  // until it is open
  LinkStats stats_;

  wire::OctetBuffer unread_;  // an incomplete handshake, or what may not be received yet
  std::optional<wire::PeerDecoder> decoder_;

  SendQueue queue_;
  WriteBatch next_;
  std::unique_ptr<const WriteBatch> writing_;   // none: nothing is being written
  std::unique_ptr<LinkEncryption> encryption_;  // none: plain
  std::size_t exchange_ = 0;  // octets at the front of next_ that go out as they are
  std::unique_ptr<ByteStream> stream_;
};

}  // namespace tributary::net
