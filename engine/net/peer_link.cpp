#include "engine/net/peer_link.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::net {
PeerLink::PeerLink(LinkOwner& owner, BufferPool& pool, std::unique_ptr<ByteStream> stream,
                   core::ConnId conn, bool inbound)
    : owner_(&owner), pool_(pool), conn_(conn), inbound_(inbound), stream_(std::move(stream)) {
  stream_->set_owner(*this);
}

// --- Opening and closing

void PeerLink::dial(const core::Connect& action, bool encrypted) {
  torrent_ = action.torrent;
  remote_ = action.remote;
  dialled_ = std::make_unique<const core::Connect>(action);
  dials_encrypted_ = encrypted;
  state_ = State::kConnecting;
  stream_->dial(remote_);
}

void PeerLink::on_stream_connected() {
  owner_->on_connected(*this);
  begin_handshake();
  send_handshake();
}

void PeerLink::accept() {
  remote_ = stream_->remote();
  if (remote_.port == 0) return close("the peer is gone already");
  begin_handshake();
}

void PeerLink::begin_handshake() {
  state_ = State::kHandshaking;
  start_reading();
}

void PeerLink::send_handshake() {
  const core::Handshake& ours = dialled_->handshake;
  const auto bytes = wire::encode_handshake(ours);
  if (dials_encrypted_) {
    wire::OctetBuffer first;
    encryption_ = LinkEncryption::dial(owner_->encryption_mode(), ours.info_hash, bytes, first);
    next_.append(first);
  } else {
    next_.append(bytes);
  }
  flush();
}

void PeerLink::answer(core::TorrentId torrent, const core::Handshake& ours) {
  torrent_ = torrent;
  next_.append(wire::encode_handshake(ours));
}

void PeerLink::close(const std::string& reason) {
  if (state_ == State::kClosing) return;
  if (owner_) owner_->on_closing(*this, reason);
  state_ = State::kClosing;
  stream_->close();
}

void PeerLink::on_stream_closed() {
  if (owner_) owner_->on_closed(*this);
  delete this;
}

void PeerLink::abandon() {
  owner_ = nullptr;
  decoder_.reset();
  close({});
}

// --- Receiving

void PeerLink::start_reading() {
  if (std::exchange(reading_, true)) return;
  stream_->start_reading();
}

void PeerLink::pause_reading() {
  reading_ = false;
  if (state_ != State::kClosing) stream_->stop_reading();
}

void PeerLink::resume_reading() {
  if (state_ == State::kClosing) return;
  if (std::exchange(stalled_, false)) {
    const wire::OctetBuffer waiting = std::exchange(unread_, {});
    const wire::Octets left = take_messages(waiting);
    unread_.assign(left.begin(), left.end());
  }
  if (state_ != State::kClosing && !stalled_) start_reading();
}

void PeerLink::on_stream_failed(const std::string& reason) {
  refused_plain_ = !inbound_ && !encryption_ && state_ == State::kHandshaking && unread_.empty();
  close(reason);
}

void PeerLink::on_stream_bytes(std::span<std::uint8_t> read) {
  owner_->on_read(*this, Bytes(std::ssize(read)));
  stats_.overhead_in += Bytes(std::ssize(read));  // payload is moved over as it is recognised
  wire::Octets bytes = encryption_ ? decrypt(read) : read;
  if (state_ == State::kHandshaking) bytes = take_handshake(bytes);
  if (state_ != State::kOpen || bytes.empty()) return;
  bytes = take_messages(bytes);
  unread_.assign(bytes.begin(), bytes.end());
}

wire::Octets PeerLink::decrypt(std::span<std::uint8_t> bytes) {
  wire::OctetBuffer reply;
  const Result<wire::Octets> decrypted = encryption_->receive(bytes, reply);
  if (!decrypted) {
    close(decrypted.error().message);
    return {};
  }
  exchange_ += reply.size();
  next_.append(reply);
  flush();
  return *decrypted;
}

// Who comes in with other bytes than a handshake's may have begun an encrypted one.
wire::Octets PeerLink::take_handshake(wire::Octets bytes) {
  const std::size_t n = std::min(wire::kHandshakeSize - unread_.size(), bytes.size());
  wire::append(unread_, bytes.first(n));
  const core::EncryptionMode mode = owner_->encryption_mode();
  const bool prefix = wire::is_handshake_prefix(unread_);
  if (!prefix && inbound_ && !encryption_ && mode != core::EncryptionMode::kOff) {
    wire::OctetBuffer all = std::exchange(unread_, {});
    wire::append(all, bytes.subspan(n));
    encryption_ = LinkEncryption::answer(mode, owner_->served());
    bytes = decrypt(all);
    return state_ == State::kClosing || bytes.empty() ? wire::Octets{} : take_handshake(bytes);
  }
  if (!prefix) {
    close("the peer does not speak BitTorrent");
    return {};
  }
  const bool plain = !encryption_ && unread_.size() >= wire::kProtocolNameSize;
  if (plain && mode == core::EncryptionMode::kRequired) {
    close("the peer does not encrypt, which is required here");
    return {};
  }
  if (unread_.size() < wire::kHandshakeSize) return {};
  const auto remote = wire::decode_handshake(
      std::span<const std::uint8_t, wire::kHandshakeSize>(unread_.data(), wire::kHandshakeSize));
  unread_ = {};
  const Result<void> welcome =
      remote ? owner_->on_handshake(*this, *remote) : Result<void>(remote.error());
  if (state_ == State::kClosing) return {};
  if (!welcome) {
    close(welcome.error().message);
    return {};
  }
  return bytes.subspan(n);
}

void PeerLink::open() {
  TRIBUTARY_CHECK(state_ == State::kHandshaking);
  state_ = State::kOpen;
  dialled_.reset();
  decoder_.emplace(static_cast<wire::PayloadBuffers&>(*this));
}

wire::Octets PeerLink::take_messages(wire::Octets bytes) {
  while (!bytes.empty() && state_ == State::kOpen) {
    const std::size_t payload = decoder_->payload_left();
    if (payload == 0 && !owner_->may_receive()) {
      stalled_ = true;
      pause_reading();
      owner_->on_stalled(*this);
      return bytes;
    }
    const wire::Octets step = bytes.first(std::min(payload > 0 ? payload : kStep, bytes.size()));
    bytes = bytes.subspan(step.size());
    // A list of its own would keep its room in each idle link.
    std::vector<core::Message> messages = std::exchange(owner_->message_space(), {});
    const auto decoded = decoder_->feed(step, messages);
    for (core::Message& message : messages) deliver(std::move(message));
    messages.clear();
    if (owner_) owner_->message_space() = std::move(messages);
    if (!decoded) close(decoded.error().message);
  }
  return {};
}

void PeerLink::deliver(core::Message message) {
  if (const auto* piece = std::get_if<core::Piece>(&message)) {
    stats_.payload_in += piece->span.length;
    stats_.overhead_in -= piece->span.length;
    if (state_ != State::kOpen && piece->buffer != core::kNoBuffer) pool_.release(piece->buffer);
  }
  if (state_ == State::kOpen) owner_->on_message(*this, std::move(message));
}

wire::PayloadBuffers::Buffer PeerLink::allocate(Bytes length) {
  const core::BufferId id = pool_.allocate(length);
  TRIBUTARY_CHECK(id != core::kNoBuffer);  // take_messages() saw to the headroom
  return {id, pool_.data(id)};
}

void PeerLink::free(core::BufferId id) { pool_.release(id); }

// --- Sending

void PeerLink::send(const core::Message& message) {
  queue_.push(message, decoder_ ? decoder_->peer_ids() : wire::ExtensionIds{});
}

void PeerLink::send_block(const core::BlockSpan& span, Payload payload) {
  queue_.push_block(span, std::move(payload));
}

bool PeerLink::wants_block() const {
  return state_ == State::kOpen && !writing_ && queue_.has_blocks() &&
         next_.size() < stream_->write_size();
}

Bytes PeerLink::take_block() {
  if (queue_.has_control()) queue_.take_control(next_);
  return queue_.take_block(next_);
}

void PeerLink::flush() {
  if (state_ != State::kHandshaking && state_ != State::kOpen) return;
  if (writing_) return;
  if (queue_.has_control()) queue_.take_control(next_);
  if (next_.empty()) return;
  writing_ = std::make_unique<const WriteBatch>(std::exchange(next_, {}));
  const std::size_t clear = std::exchange(exchange_, 0);
  const bool encrypts = encryption_ && encryption_->encrypts();
  const auto parts = writing_->parts();
  encrypts ? stream_->write({encryption_->encrypt(parts, clear)}) : stream_->write(parts);
}

void PeerLink::on_stream_written() {
  if (state_ == State::kClosing || !owner_) return;
  const auto done = std::exchange(writing_, nullptr);
  stats_.payload_out += done->payload_size();
  stats_.overhead_out += done->size() - done->payload_size();
  if (encryption_ && !queue_.has_blocks()) encryption_->rest();  // idle it costs no buffer
  for (const WriteBatch::Block& block : done->blocks()) {
    if (state_ == State::kOpen) owner_->on_block_sent(*this, block.span);
  }
  if (state_ != State::kClosing) owner_->on_writable(*this);
}

}  // namespace tributary::net
