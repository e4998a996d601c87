#include "engine/net/dht_socket.h"

#include <deque>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/clock.h"
#include "engine/net/digests.h"
#include "engine/net/timer.h"
#include "engine/wire/krpc.h"

namespace tributary::net {

namespace dht = core::dht;

class DhtSocket::Impl {
 public:
  Impl(Loop& loop, std::shared_ptr<UdpPort> port, const dht::NodeParams& params, Events events,
       DhtSocketLimits limits);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // After each call of the node.
  void drain();
  void pair_with(Impl* other);

  Loop& loop() { return loop_; }
  dht::Node& node() { return node_; }
  const dht::Node& node() const { return node_; }
  const Impl* other() const { return other_; }
  const Endpoint& address() const { return port_->address(); }
  const DhtSocketStats& stats() const { return stats_; }

 private:
  void on_datagram(const Endpoint& from, wire::Octets bytes);
  void send(const dht::SendDatagram& datagram);
  void deliver();

  Loop& loop_;
  dht::Node node_;
  Events events_;
  DhtSocketLimits limits_;
  std::shared_ptr<UdpPort> port_;
  Impl* other_ = nullptr;
  DhtSocketStats stats_;
  std::deque<dht::Action> undelivered_;
  Timer deadline_;
  Timer delivery_;
};

DhtSocket::Impl::Impl(Loop& loop, std::shared_ptr<UdpPort> port, const dht::NodeParams& params,
                      Events events, DhtSocketLimits limits)
    : loop_(loop),
      node_(params, loop.now()),
      events_(std::move(events)),
      limits_(limits),
      port_(std::move(port)),
      deadline_(loop),
      delivery_(loop) {
  port_->set_dht([this](wire::Octets bytes, const Endpoint& from) { on_datagram(from, bytes); });
}

DhtSocket::Impl::~Impl() {
  port_->set_dht({});
  if (other_ != nullptr) other_->pair_with(nullptr);
}

void DhtSocket::Impl::pair_with(Impl* other) {
  other_ = other;
  node_.pair_with(other == nullptr ? nullptr : &other->node_);
}

void DhtSocket::Impl::on_datagram(const Endpoint& from, wire::Octets bytes) {
  ++stats_.received;
  const auto message = wire::decode_krpc(bytes);
  if (!message) {
    ++stats_.malformed;
    return;
  }
  node_.handle(from, *message, loop_.now());
  drain();
}

void DhtSocket::Impl::drain() {
  while (auto action = node_.poll()) {
    if (const auto* datagram = std::get_if<dht::SendDatagram>(&*action)) {
      send(*datagram);
    } else if (const auto* nodes = std::get_if<dht::OtherFamily>(&*action)) {
      if (other_ == nullptr) continue;
      other_->node_.suggest(nodes->nodes, loop_.now());
      other_->drain();
    } else if (events_) {
      undelivered_.push_back(std::move(*action));
    }
  }
  if (!undelivered_.empty()) delivery_.start(loop_.now(), [this] { deliver(); });
  deadline_.start(node_.next_deadline(), [this] {
    node_.tick(loop_.now());
    drain();
  });
}

void DhtSocket::Impl::deliver() {
  std::deque<dht::Action> batch;
  batch.swap(undelivered_);
  for (const dht::Action& action : batch) events_(action);
}

void DhtSocket::Impl::send(const dht::SendDatagram& datagram) {
  const wire::OctetBuffer bytes = wire::encode_krpc(datagram.message);
  // An address that cannot be reached times out.
  const bool taken = port_->send_to(bytes, datagram.to, limits_.max_waiting);
  ++(taken ? stats_.sent : stats_.dropped);
}

DhtSocket::DhtSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DhtSocket::~DhtSocket() = default;

Result<std::unique_ptr<DhtSocket>> DhtSocket::listen(Loop& loop, const Endpoint& at,
                                                     dht::NodeParams params, Events events,
                                                     DhtSocketLimits limits) {
  TRIBUTARY_TRY(port, UdpPort::bind(loop, at));
  return share(loop, port, params, std::move(events), limits);
}

std::unique_ptr<DhtSocket> DhtSocket::share(Loop& loop, std::shared_ptr<UdpPort> port,
                                            dht::NodeParams params, Events events,
                                            DhtSocketLimits limits) {
  params.v4 = port->address().is_v4();
  params.digest = &sha1;
  secure_random(params.key);
  auto impl = std::make_unique<Impl>(loop, std::move(port), params, std::move(events), limits);
  return std::unique_ptr<DhtSocket>(new DhtSocket(std::move(impl)));
}

void DhtSocket::pair(DhtSocket& a, DhtSocket& b) {
  TRIBUTARY_CHECK(a.node().is_v4() != b.node().is_v4());
  TRIBUTARY_CHECK(a.impl_->other() == nullptr && b.impl_->other() == nullptr);
  a.impl_->pair_with(b.impl_.get());
  b.impl_->pair_with(a.impl_.get());
}

const Endpoint& DhtSocket::address() const { return impl_->address(); }
const dht::Node& DhtSocket::node() const { return impl_->node(); }
const DhtSocketStats& DhtSocket::stats() const { return impl_->stats(); }

void DhtSocket::bootstrap(const std::vector<Endpoint>& hosts) {
  impl_->node().bootstrap(hosts, impl_->loop().now());
  impl_->drain();
}

void DhtSocket::restore(const wire::DhtState& state) {
  // A clock that was set back meanwhile must not make old nodes fresh: then all are questionable.
  const Duration age = read_calendar() - state.saved_at;
  const Duration away = age < Duration::zero() ? std::chrono::hours(24) : age;
  impl_->node().restore(state.nodes, away, impl_->loop().now());
  impl_->drain();
}

wire::DhtState DhtSocket::save() const {
  const TimePoint now = impl_->loop().now();
  wire::DhtState state{node().id(), read_calendar(), node().save(now)};
  if (const Impl* other = impl_->other()) {
    for (const dht::SavedContact& each : other->node().save(now)) state.nodes.push_back(each);
  }
  return state;
}

dht::LookupId DhtSocket::find_peers(const dht::NodeId& info_hash) {
  const dht::LookupId id = impl_->node().find_peers(info_hash, impl_->loop().now());
  impl_->drain();
  return id;
}

dht::LookupId DhtSocket::announce(const dht::NodeId& info_hash, std::uint16_t port) {
  const dht::LookupId id = impl_->node().announce(info_hash, port, impl_->loop().now());
  impl_->drain();
  return id;
}

void DhtSocket::cancel(dht::LookupId lookup) {
  impl_->node().cancel(lookup, impl_->loop().now());
  impl_->drain();
}

}  // namespace tributary::net
