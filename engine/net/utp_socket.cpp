#include "engine/net/utp_socket.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/digests.h"
#include "engine/net/timer.h"
#include "engine/net/utp_stream.h"

namespace tributary::net {
namespace {

using wire::UtpConnection;
using wire::UtpConnectionId;
using wire::UtpType;

UtpConnectionId neighbour(UtpConnectionId id, int step) {
  return UtpConnectionId(static_cast<std::uint16_t>(id.value() + step));
}

bool has_ended(const UtpFlow& flow) {
  return flow.connection.state() == UtpConnection::State::kEnded;
}

wire::UtpSeq random_seq() { return wire::UtpSeq(static_cast<std::uint16_t>(secure_random_u64())); }

}  // namespace

class UtpSocket::Impl final : public UtpFlows {
 public:
  Impl(Loop& loop, std::shared_ptr<UdpPort> port, Incoming incoming, UtpLimits limits);
  ~Impl();

  std::unique_ptr<ByteStream> stream(bool punches) {
    return std::make_unique<UtpStream>(loop_, *this, nullptr, punches);
  }
  bool flush();
  const std::shared_ptr<UdpPort>& port() const { return port_; }
  std::size_t size() const { return flows_.size(); }

 private:
  using Key = std::pair<Endpoint, UtpConnectionId>;  // the id that its packets are addressed to

  UtpFlow* open(const Endpoint& remote, UtpStream& stream, bool punches) override;
  void release(UtpFlow& flow) override;
  void touch(UtpFlow& flow) override;

  void receive(wire::Octets datagram, const Endpoint& from);
  void on_syn(const wire::UtpPacket& packet, const Endpoint& from);
  void on_reset(const wire::UtpPacket& packet, const Endpoint& from);
  void on_nobody(const Endpoint& at);
  void refuse(const wire::UtpPacket& packet, const Endpoint& from);
  UtpFlow* find(const Endpoint& remote, UtpConnectionId id);
  UtpFlow& add(const Endpoint& remote, UtpConnection connection);
  // The oldest of `kind` that has not ended, if there are at least `limit` of them.
  UtpFlow* surplus(std::size_t limit, bool (*kind)(const UtpFlow&));

  void advance(UtpFlow& flow);
  void let_in(UtpFlow& flow);
  void send_all(UtpFlow& flow, TimePoint now);
  TimePoint deadline_of(const UtpFlow& flow) const;
  void wake_due();
  void schedule();
  wire::UtpParams params_for(const Endpoint& remote) const;

  Loop& loop_;
  std::shared_ptr<UdpPort> port_;
  Incoming incoming_;
  UtpLimits limits_;
  core::dht::AnswerLimiter limiter_;
  std::map<Key, UtpFlow> flows_;
  std::vector<UtpFlow*> dirty_;  // each once
  Timer timer_;
};

UtpSocket::Impl::Impl(Loop& loop, std::shared_ptr<UdpPort> port, Incoming incoming,
                      UtpLimits limits)
    : loop_(loop),
      port_(std::move(port)),
      incoming_(std::move(incoming)),
      limits_(limits),
      limiter_(limits.answers, secure_random_u64()),
      timer_(loop) {
  port_->set_utp([this](wire::Octets datagram, const Endpoint& from) { receive(datagram, from); },
                 [this](const Endpoint& at) { on_nobody(at); });
}

UtpSocket::Impl::~Impl() {
  for (auto& [key, flow] : flows_) {
    if (flow.stream != nullptr) flow.stream->detach();
    flow.connection.abort();
    send_all(flow, loop_.now());
  }
  port_->send_gathered();
  port_->set_utp({});
}

// --- Connections

wire::UtpParams UtpSocket::Impl::params_for(const Endpoint& remote) const {
  wire::UtpParams params;
  params.datagram = remote.is_v4() ? wire::kUtpDatagramV4 : wire::kUtpDatagramV6;
  params.max_syns = limits_.max_syns;
  return params;
}

UtpFlow* UtpSocket::Impl::find(const Endpoint& remote, UtpConnectionId id) {
  const auto it = flows_.find({remote, id});
  return it == flows_.end() ? nullptr : &it->second;
}

UtpFlow& UtpSocket::Impl::add(const Endpoint& remote, UtpConnection connection) {
  const Key key{remote, connection.id()};
  const auto [it, is_new] = flows_.emplace(key, UtpFlow{std::move(connection), remote});
  TRIBUTARY_CHECK(is_new);
  it->second.since = loop_.now();
  touch(it->second);
  return it->second;
}

UtpFlow* UtpSocket::Impl::open(const Endpoint& remote, UtpStream& stream, bool punches) {
  if (flows_.size() >= limits_.max_connections) return nullptr;
  UtpConnectionId id;
  do {
    id = UtpConnectionId(static_cast<std::uint16_t>(secure_random_u64()));
  } while (find(remote, id) != nullptr);
  UtpFlow& flow =
      add(remote, UtpConnection::dial(id, random_seq(), params_for(remote), loop_.now()));
  flow.stream = &stream;
  flow.proved = true;
  flow.punches = punches;
  return &flow;
}

UtpFlow* UtpSocket::Impl::surplus(std::size_t limit, bool (*kind)(const UtpFlow&)) {
  std::size_t count = 0;
  UtpFlow* oldest = nullptr;
  for (auto& [key, flow] : flows_) {
    if (!kind(flow) || has_ended(flow)) continue;
    ++count;
    if (oldest == nullptr || flow.since < oldest->since) oldest = &flow;
  }
  return count >= limit ? oldest : nullptr;
}

void UtpSocket::Impl::release(UtpFlow& flow) {
  const auto lingers = [](const UtpFlow& f) { return f.proved && f.stream == nullptr; };
  if (UtpFlow* oldest = surplus(limits_.max_lingering, lingers)) {
    oldest->connection.abort();
    touch(*oldest);
  }
  flow.stream = nullptr;
  flow.since = loop_.now();
  flow.connection.finish(flow.since);
  touch(flow);
}

void UtpSocket::Impl::touch(UtpFlow& flow) {
  if (!std::exchange(flow.dirty, true)) dirty_.push_back(&flow);
}

// --- Receiving

void UtpSocket::Impl::receive(wire::Octets datagram, const Endpoint& from) {
  const auto packet = wire::decode_utp(datagram);
  if (!packet) return;
  if (packet->header.type == UtpType::kSyn) return on_syn(*packet, from);
  if (packet->header.type == UtpType::kReset) return on_reset(*packet, from);
  UtpFlow* flow = find(from, packet->header.connection);
  if (flow == nullptr) return refuse(*packet, from);
  flow->connection.handle(*packet, loop_.now());
  touch(*flow);
}

void UtpSocket::Impl::on_syn(const wire::UtpPacket& packet, const Endpoint& from) {
  if (UtpFlow* flow = find(from, neighbour(packet.header.connection, 1))) {
    flow->connection.handle(packet, loop_.now());
    return touch(*flow);
  }
  const TimePoint now = loop_.now();
  if (!incoming_ || flows_.size() >= limits_.max_connections || !limiter_.take(from, now)) return;
  const auto unproved = [](const UtpFlow& f) { return !f.proved; };
  if (UtpFlow* oldest = surplus(limits_.max_unproved, unproved)) {
    oldest->connection.abort();
    touch(*oldest);
  }
  add(from, UtpConnection::answer(packet, random_seq(), params_for(from), now));
}

// Its id is ours, or the one that our packet was addressed to.
void UtpSocket::Impl::on_reset(const wire::UtpPacket& packet, const Endpoint& from) {
  for (const int step : {0, 1, -1}) {
    UtpFlow* flow = find(from, neighbour(packet.header.connection, step));
    if (flow == nullptr) continue;
    flow->connection.handle(packet, loop_.now());
    touch(*flow);
  }
}

// Only dials are ended by it: whoever has answered is known better.
void UtpSocket::Impl::on_nobody(const Endpoint& at) {
  for (auto it = flows_.lower_bound({at, UtpConnectionId(0)});
       it != flows_.end() && it->first.first == at; ++it) {
    if (it->second.punches || !it->second.connection.give_up()) continue;
    touch(it->second);
  }
}

// A packet of a connection that is not, or no longer, here.
void UtpSocket::Impl::refuse(const wire::UtpPacket& packet, const Endpoint& from) {
  const TimePoint now = loop_.now();
  if (!limiter_.take(from, now)) return;
  wire::UtpHeader reset;
  reset.type = UtpType::kReset;
  reset.connection = packet.header.connection;
  reset.timestamp = static_cast<std::uint32_t>(now.time_since_epoch().count());
  reset.seq = random_seq();
  reset.ack = packet.header.seq;
  port_->send_to(wire::encode_utp(reset), from, limits_.max_waiting);
}

// --- The end of a turn

bool UtpSocket::Impl::flush() {
  if (dirty_.empty()) return false;
  for (UtpFlow* flow : std::exchange(dirty_, {})) {
    flow->dirty = false;
    advance(*flow);
  }
  port_->send_gathered();
  schedule();
  return true;
}

void UtpSocket::Impl::advance(UtpFlow& flow) {
  const TimePoint now = loop_.now();
  if (!flow.proved && flow.connection.state() == UtpConnection::State::kOpen) let_in(flow);
  if (flow.stream == nullptr && flow.proved && now >= flow.since + limits_.linger) {
    flow.connection.abort();
  }
  if (flow.stream != nullptr) flow.stream->advance(now);
  send_all(flow, now);
  if (!has_ended(flow)) return;
  if (flow.stream != nullptr) return flow.stream->advance(now);
  if (!flow.dirty) flows_.erase({flow.remote, flow.connection.id()});
}

void UtpSocket::Impl::let_in(UtpFlow& flow) {
  flow.proved = true;
  auto stream = std::make_unique<UtpStream>(loop_, *this, &flow);
  flow.stream = stream.get();
  incoming_(std::move(stream));
}

// What leaves makes room for what is written.
void UtpSocket::Impl::send_all(UtpFlow& flow, TimePoint now) {
  for (;;) {
    const wire::Octets datagram = flow.connection.poll(now);
    if (datagram.empty()) return;
    port_->gather(datagram, flow.remote, limits_.max_waiting);
    if (flow.stream != nullptr && flow.connection.writable()) flow.stream->advance(now);
  }
}

TimePoint UtpSocket::Impl::deadline_of(const UtpFlow& flow) const {
  const TimePoint own = flow.connection.next_deadline();
  return flow.stream == nullptr && flow.proved ? std::min(own, flow.since + limits_.linger) : own;
}

void UtpSocket::Impl::schedule() {
  TimePoint next = kNever;
  for (const auto& [key, flow] : flows_) next = std::min(next, deadline_of(flow));
  timer_.start(next, [this] { wake_due(); });
}

// flush() follows in the same turn, and sets the timer again. Setting it here to a time that has
// passed would run it for ever.
void UtpSocket::Impl::wake_due() {
  const TimePoint now = loop_.now();
  for (auto& [key, flow] : flows_) {
    if (deadline_of(flow) <= now) touch(flow);
  }
  if (dirty_.empty()) schedule();
}

UtpSocket::UtpSocket(Loop& loop, std::shared_ptr<UdpPort> port, Incoming incoming, UtpLimits limits)
    : impl_(std::make_unique<Impl>(loop, std::move(port), std::move(incoming), limits)) {}
UtpSocket::~UtpSocket() = default;

std::unique_ptr<ByteStream> UtpSocket::stream(bool punches) { return impl_->stream(punches); }
bool UtpSocket::flush() { return impl_->flush(); }
const std::shared_ptr<UdpPort>& UtpSocket::port() const { return impl_->port(); }
std::size_t UtpSocket::size() const { return impl_->size(); }

}  // namespace tributary::net
