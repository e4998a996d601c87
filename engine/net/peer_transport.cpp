#include "engine/net/peer_transport.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/peer_listener.h"
#include "engine/net/tcp_stream.h"
#include "engine/net/timer.h"

namespace tributary::net {
namespace {

// Shared by all connections, which read one at a time: idle ones cost no buffer.
constexpr std::size_t kReadSpace = 64 * 1024;
// How soon a connection tries again that found the pool empty or the host behind.
constexpr Duration kStallRetry = 5ms;

}  // namespace

class PeerTransport::Impl final : public LinkOwner {
 public:
  Impl(Loop& loop, BufferPool& pool, TransportHost& host, LogSink log, TransportLimits limits,
       Carriers carriers);
  ~Impl() override;

  Result<Endpoint> listen(const Endpoint& at);
  std::shared_ptr<UdpPort> udp_port() const { return streams_.port(); }
  void connect(const core::Connect& action);
  void send(core::ConnId conn, const core::Message& message);
  void send_block(core::ConnId conn, const core::BlockSpan& span, Payload payload);
  void disconnect(core::ConnId conn, const std::string& reason);
  void disconnect_all(core::TorrentId torrent, const std::string& reason);

  LinkStats totals() const;
  std::int32_t count() const { return static_cast<std::int32_t>(links_.size()); }

  void set_encryption(core::EncryptionMode mode) { encryption_ = mode; }
  LinkPacer& pacer() { return pacer_; }
  std::optional<LinkStats> stats(core::ConnId conn) const;

 private:
  PeerLink* find(core::ConnId conn) const {
    const auto it = links_.find(conn);
    return it == links_.end() ? nullptr : it->second;
  }
  std::span<std::uint8_t> read_space() override;
  std::vector<core::Message>& message_space() override { return message_space_; }
  void on_read(PeerLink& link, Bytes size) override { pacer_.on_read(link, size); }
  bool may_receive() override { return host_.keeps_up() && pool_.headroom() >= kBuffersPerStep; }
  void on_stalled(PeerLink& link) override;
  core::EncryptionMode encryption_mode() const override { return encryption_; }
  std::vector<InfoHash> served() const override { return host_.info_hashes(); }
  Result<void> on_handshake(PeerLink& link, const core::Handshake& remote) override;
  void on_message(PeerLink& link, core::Message message) override;
  void on_block_sent(PeerLink& link, const core::BlockSpan& span) override;
  void on_writable(PeerLink& link) override { touch(link); }
  void on_connected(PeerLink& link) override;
  void on_closing(PeerLink& link, const std::string& reason) override;
  void on_closed(PeerLink& link) override;

  Result<Endpoint> listen_tcp(const Endpoint& at);
  void on_incoming(std::unique_ptr<ByteStream> stream);
  Result<LocalSide> match(const PeerLink& link, const core::Handshake& remote);
  void start_dials();
  void start_dial(const core::Connect& dial, bool encrypted);
  bool wants_encryption(const PeerLink& link) const;
  void refuse_dial(const core::Connect& dial, std::string_view why);
  void report_soon(core::Input input);
  void note(LogLevel level, const PeerLink& link, std::string_view text) const;

  void touch(PeerLink& link);
  void mark_dirty(PeerLink& link);
  void flush();
  void retry_stalled();
  void sweep();
  void schedule_sweep();

  Loop& loop_;
  BufferPool& pool_;
  TransportHost& host_;
  LogSink log_;
  TransportLimits limits_;
  std::vector<std::uint8_t> read_space_;
  std::vector<core::Message> message_space_;

  std::map<core::ConnId, PeerLink*> links_;  // they delete themselves; see PeerLink
  std::vector<std::unique_ptr<PeerListener>> listeners_;
  StreamMaker streams_;
  std::deque<core::Connect> waiting_dials_;
  std::uint64_t next_inbound_ = 1;
  std::int32_t half_open_ = 0;
  std::int32_t unhandshaked_ = 0;  // incoming
  LinkStats past_;                 // of links that are gone

  core::EncryptionMode encryption_ = core::EncryptionMode::kAllowed;
  LinkPacer pacer_;
  std::vector<core::ConnId> dirty_;   // have something to write
  std::deque<core::ConnId> stalled_;  // wait for may_receive()
  Timer stall_timer_;
  Timer sweep_timer_;
  TurnEnd turn_end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

PeerTransport::Impl::Impl(Loop& loop, BufferPool& pool, TransportHost& host, LogSink log,
                          TransportLimits limits, Carriers carriers)
    : loop_(loop),
      pool_(pool),
      host_(host),
      log_(std::move(log)),
      limits_(limits),
      read_space_(kReadSpace),
      streams_(
          loop, carriers,
          [this](std::unique_ptr<ByteStream> stream) { on_incoming(std::move(stream)); }, log_),
      pacer_(loop, limits.limited_read, [this](core::ConnId conn) { return find(conn); }),
      stall_timer_(loop),
      sweep_timer_(loop),
      turn_end_(loop, [this] { flush(); }) {
  schedule_sweep();
}

PeerTransport::Impl::~Impl() {
  *alive_ = false;
  for (const auto& [conn, link] : links_) link->abandon();
}

// --- Opening and closing

Result<Endpoint> PeerTransport::Impl::listen_tcp(const Endpoint& at) {
  auto listener = std::make_unique<PeerListener>(loop_);
  auto bound = listener->listen(
      at, [this](uv_stream_t* uv) { on_incoming(std::make_unique<TcpStream>(loop_, uv)); });
  if (bound) listeners_.push_back(std::move(listener));
  return bound;
}

Result<Endpoint> PeerTransport::Impl::listen(const Endpoint& at) {
  if (streams_.carriers() == Carriers::kUtp) return streams_.listen(at);
  auto bound = listen_tcp(at);
  if (!bound || streams_.carriers() == Carriers::kTcp) return bound;
  const auto utp = streams_.listen(*bound);
  if (!utp && log_) log_(LogLevel::kWarning, "no uTP connections come in: " + utp.error().message);
  return bound;
}

// Over a limit the connection is taken and closed: left alone it would fill the system's queue.
void PeerTransport::Impl::on_incoming(std::unique_ptr<ByteStream> stream) {
  const core::ConnId conn(core::kInboundBit.value() | next_inbound_++);
  const bool full = count() >= limits_.max_connections || unhandshaked_ >= limits_.max_unhandshaked;
  auto* link = new PeerLink(*this, pool_, std::move(stream), conn, true);
  links_.emplace(conn, link);
  ++unhandshaked_;
  link->deadline = loop_.now() + limits_.handshake_timeout;
  link->accept();
  if (full) link->close("too many connections");
}

void PeerTransport::Impl::connect(const core::Connect& action) {
  if (std::ssize(waiting_dials_) >= limits_.max_waiting_dials) {
    return refuse_dial(action, "too many dials wait");
  }
  waiting_dials_.push_back(action);
  start_dials();
}

void PeerTransport::Impl::start_dials() {
  while (!waiting_dials_.empty() && half_open_ < limits_.max_half_open) {
    const core::Connect dial = waiting_dials_.front();
    waiting_dials_.pop_front();
    TRIBUTARY_CHECK(!links_.contains(dial.conn));
    if (count() >= limits_.max_connections) {
      refuse_dial(dial, "too many connections");
      continue;
    }
    start_dial(
        dial, encryption_ == core::EncryptionMode::kRequired ||
                  (encryption_ == core::EncryptionMode::kAllowed && dial.hints.prefers_encryption));
  }
}

void PeerTransport::Impl::start_dial(const core::Connect& dial, bool encrypted) {
  auto stream = streams_.make(dial);
  if (!stream) return refuse_dial(dial, "no UDP port for uTP");
  auto* link = new PeerLink(*this, pool_, std::move(stream), dial.conn, false);
  links_.emplace(dial.conn, link);
  ++half_open_;
  link->reported = true;  // the host knows its Connect
  link->deadline = loop_.now() + limits_.connect_timeout;
  link->dial(dial, encrypted);
}

void PeerTransport::Impl::refuse_dial(const core::Connect& dial, std::string_view why) {
  if (log_) {
    log_(LogLevel::kDebug, "peer " + format_endpoint(dial.remote) + ": " + std::string(why));
  }
  report_soon(core::PeerClosed{dial.torrent, dial.conn});
}

void PeerTransport::Impl::report_soon(core::Input input) {
  loop_.post([this, alive = alive_, input = std::move(input)] {
    if (*alive) host_.handle(input);
  });
}

void PeerTransport::Impl::on_connected(PeerLink& link) {
  --half_open_;
  link.deadline = loop_.now() + limits_.handshake_timeout;
  start_dials();
}

// Whose connection it is, or why it is refused. An outgoing one may be answered with the torrent's
// other hash: that is how BEP 52 has a hybrid's peer choose v2.
Result<LocalSide> PeerTransport::Impl::match(const PeerLink& link, const core::Handshake& remote) {
  std::optional<LocalSide> side;
  if (!link.inbound() && remote.info_hash == link.dialled().handshake.info_hash) {
    side = LocalSide{link.torrent(), link.dialled().handshake};
  } else {
    side = host_.find_torrent(remote);
  }
  if (!side) return invalid("the peer wants a torrent that is not here");
  if (!link.inbound() && side->torrent != link.torrent()) {
    return invalid("the peer answered for another torrent");
  }
  if (remote.peer_id == side->handshake.peer_id) return invalid("it is ourselves");
  return *side;
}

Result<void> PeerTransport::Impl::on_handshake(PeerLink& link, const core::Handshake& remote) {
  const auto side = match(link, remote);
  if (!side) return side.error();
  if (link.inbound()) {
    --unhandshaked_;
    link.answer(side->torrent, side->handshake);
    link.reported = true;
  }
  link.open();
  link.deadline = loop_.now() + limits_.idle_timeout;
  touch(link);
  host_.handle(core::PeerConnected{link.torrent(), link.conn(), link.remote(), link.inbound(),
                                   remote, link.encryption(), link.is_utp()});
  return {};
}

void PeerTransport::Impl::disconnect(core::ConnId conn, const std::string& reason) {
  if (PeerLink* link = find(conn)) {
    link->give_up();
    return link->close(reason);
  }
  const auto dial = std::find_if(waiting_dials_.begin(), waiting_dials_.end(),
                                 [&](const core::Connect& c) { return c.conn == conn; });
  if (dial == waiting_dials_.end()) return;
  const core::Connect gone = *dial;
  waiting_dials_.erase(dial);
  refuse_dial(gone, reason);
}

void PeerTransport::Impl::disconnect_all(core::TorrentId torrent, const std::string& reason) {
  std::vector<core::ConnId> conns;
  for (const auto& [conn, link] : links_) {
    if (link->reported && link->torrent() == torrent) conns.push_back(conn);
  }
  for (const core::Connect& dial : waiting_dials_) {
    if (dial.torrent == torrent) conns.push_back(dial.conn);
  }
  for (const core::ConnId conn : conns) disconnect(conn, reason);
}

// Who refuses our plain handshake is dialled once more.
bool PeerTransport::Impl::wants_encryption(const PeerLink& link) const {
  return link.refused_plain() && encryption_ == core::EncryptionMode::kAllowed;
}

void PeerTransport::Impl::on_closing(PeerLink& link, const std::string& reason) {
  note(LogLevel::kDebug, link, reason);
  if (link.state() == PeerLink::State::kConnecting) --half_open_;
  const bool dialled = link.state() == PeerLink::State::kHandshaking && !link.inbound();
  if (dialled && !wants_encryption(link)) {
    streams_.on_useless(link.remote(), link.is_utp());
  }
  if (link.inbound() && !link.reported) --unhandshaked_;
}

void PeerTransport::Impl::on_closed(PeerLink& link) {
  past_ += link.stats();
  links_.erase(link.conn());
  if (wants_encryption(link)) {
    core::Connect again = link.dialled();
    again.hints = {};
    return start_dial(again, true);
  }
  start_dials();
  if (link.reported) host_.handle(core::PeerClosed{link.torrent(), link.conn()});
}

void PeerTransport::Impl::note(LogLevel level, const PeerLink& link, std::string_view text) const {
  if (!log_) return;
  log_(level, "peer " + format_endpoint(link.remote()) + ": " + std::string(text));
}

// Coarse on purpose: one timer for all connections, at most a quarter of a limit late.
void PeerTransport::Impl::schedule_sweep() {
  const Duration shortest =
      std::min({limits_.connect_timeout, limits_.handshake_timeout, limits_.idle_timeout});
  const Duration period = std::clamp<Duration>(shortest / 4, 1ms, 1s);
  sweep_timer_.start(loop_.now() + period, [this] { sweep(); });
}

void PeerTransport::Impl::sweep() {
  const TimePoint now = loop_.now();
  for (const auto& [conn, link] : links_) {
    if (link->deadline > now) continue;
    switch (link->state()) {
      case PeerLink::State::kConnecting:
        link->close("no connection in time");
        break;
      case PeerLink::State::kHandshaking:
        link->close("no handshake in time");
        break;
      default:
        link->close("no message for too long");
        break;
    }
  }
  schedule_sweep();
}

// --- Sending

void PeerTransport::Impl::send(core::ConnId conn, const core::Message& message) {
  PeerLink* link = find(conn);
  if (!link || link->state() != PeerLink::State::kOpen) return;
  link->send(message);
  if (link->queue().control_size() > limits_.max_waiting_messages) {
    return link->close("the peer does not read what it is sent");
  }
  touch(*link);
}

void PeerTransport::Impl::send_block(core::ConnId conn, const core::BlockSpan& span,
                                     Payload payload) {
  PeerLink* link = find(conn);
  if (!link || link->state() != PeerLink::State::kOpen) return;
  if (link->queue().block_size() + span.length > limits_.max_waiting_payload) {
    return report_soon(core::BlockSent{link->torrent(), conn, span, false});
  }
  link->send_block(span, std::move(payload));
  touch(*link);
}

void PeerTransport::Impl::touch(PeerLink& link) {
  mark_dirty(link);
  pacer_.offer(link);
}

void PeerTransport::Impl::mark_dirty(PeerLink& link) {
  if (!std::exchange(link.in_dirty, true)) dirty_.push_back(link.conn());
}

// Runs when all of a turn's events are handled and before the loop waits: what they gave to send
// leaves in as few writes as possible.
void PeerTransport::Impl::flush() {
  do {
    pacer_.upload_in_turns([this](PeerLink& link) { mark_dirty(link); });
    for (const core::ConnId conn : std::exchange(dirty_, {})) {
      PeerLink* link = find(conn);
      if (!link) continue;
      link->in_dirty = false;
      link->flush();
    }
  } while (streams_.flush());
}

void PeerTransport::Impl::on_block_sent(PeerLink& link, const core::BlockSpan& span) {
  host_.handle(core::BlockSent{link.torrent(), link.conn(), span, true});
}

// --- Receiving

std::span<std::uint8_t> PeerTransport::Impl::read_space() {
  const Bytes all(std::ssize(read_space_));
  return std::span(read_space_)
      .first(static_cast<std::size_t>(std::min(pacer_.most_at_once(), all).count()));
}

void PeerTransport::Impl::on_stalled(PeerLink& link) {
  if (stalled_.empty()) stall_timer_.start(loop_.now() + kStallRetry, [this] { retry_stalled(); });
  stalled_.push_back(link.conn());
}

void PeerTransport::Impl::retry_stalled() {
  for (const core::ConnId conn : std::exchange(stalled_, {})) {
    PeerLink* link = find(conn);
    if (link && !link->in_paused) link->resume_reading();
  }
}

void PeerTransport::Impl::on_message(PeerLink& link, core::Message message) {
  link.deadline = loop_.now() + limits_.idle_timeout;
  host_.handle(core::PeerMessage{link.torrent(), link.conn(), std::move(message)});
}

std::optional<LinkStats> PeerTransport::Impl::stats(core::ConnId conn) const {
  const PeerLink* link = find(conn);
  return link ? std::optional(link->stats()) : std::nullopt;
}

LinkStats PeerTransport::Impl::totals() const {
  LinkStats sum = past_;
  for (const auto& [conn, link] : links_) sum += link->stats();
  return sum;
}

// --- The public face

PeerTransport::PeerTransport(Loop& loop, BufferPool& pool, TransportHost& host, LogSink log,
                             TransportLimits limits, Carriers carriers)
    : impl_(std::make_unique<Impl>(loop, pool, host, std::move(log), limits, carriers)) {}
PeerTransport::~PeerTransport() = default;

Result<Endpoint> PeerTransport::listen(const Endpoint& at) { return impl_->listen(at); }
std::shared_ptr<UdpPort> PeerTransport::udp_port() const { return impl_->udp_port(); }
void PeerTransport::connect(const core::Connect& action) { impl_->connect(action); }
void PeerTransport::send(core::ConnId conn, const core::Message& message) {
  impl_->send(conn, message);
}
void PeerTransport::send_block(core::ConnId conn, const core::BlockSpan& span, Payload payload) {
  impl_->send_block(conn, span, std::move(payload));
}
void PeerTransport::disconnect(core::ConnId conn, const std::string& reason) {
  impl_->disconnect(conn, reason);
}
void PeerTransport::disconnect_all(core::TorrentId torrent, const std::string& reason) {
  impl_->disconnect_all(torrent, reason);
}
void PeerTransport::set_encryption(core::EncryptionMode mode) { impl_->set_encryption(mode); }
LinkPacer& PeerTransport::pacer() { return impl_->pacer(); }
std::optional<LinkStats> PeerTransport::stats(core::ConnId conn) const {
  return impl_->stats(conn);
}
LinkStats PeerTransport::totals() const { return impl_->totals(); }
std::int32_t PeerTransport::connection_count() const { return impl_->count(); }

}  // namespace tributary::net
