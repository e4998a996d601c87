#include "engine/net/dht_socket.h"

#include <uv.h>

#include <array>
#include <deque>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/clock.h"
#include "engine/net/digests.h"
#include "engine/net/timer.h"
#include "engine/wire/krpc.h"

namespace tributary::net {

namespace dht = core::dht;

class DhtSocket::Impl {
 public:
  Impl(Loop& loop, const dht::NodeParams& params, Events events, DhtSocketLimits limits);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> bind(const Endpoint& at);
  // After each call of the node.
  void drain();
  void pair_with(Impl* other);

  Loop& loop() { return loop_; }
  dht::Node& node() { return node_; }
  const dht::Node& node() const { return node_; }
  const Impl* other() const { return other_; }
  const Endpoint& address() const { return address_; }
  const DhtSocketStats& stats() const { return stats_; }

 private:
  // What libuv holds on to until the handle is closed.
  struct Handle {
    uv_udp_t uv{};
    Impl* owner = nullptr;  // null once it is gone
    // One byte more than is looked at, so that what is too long is seen to be.
    std::array<char, wire::kMaxKrpcSize + 1> buffer;
  };
  struct Sending {
    uv_udp_send_t uv{};
    wire::OctetBuffer bytes;
  };

  void on_datagram(const Endpoint& from, wire::Octets bytes);
  void send(const dht::SendDatagram& datagram);
  void send_later(wire::OctetBuffer bytes, const sockaddr& to);
  void deliver();

  Loop& loop_;
  dht::Node node_;
  Events events_;
  DhtSocketLimits limits_;
  Handle* handle_;
  Endpoint address_;
  Impl* other_ = nullptr;
  DhtSocketStats stats_;
  std::deque<dht::Action> undelivered_;
  Timer deadline_;
  Timer delivery_;
};

DhtSocket::Impl::Impl(Loop& loop, const dht::NodeParams& params, Events events,
                      DhtSocketLimits limits)
    : loop_(loop),
      node_(params, loop.now()),
      events_(std::move(events)),
      limits_(limits),
      handle_(new Handle),
      deadline_(loop),
      delivery_(loop) {
  TRIBUTARY_CHECK(uv_udp_init(loop.uv(), &handle_->uv) == 0);
  handle_->uv.data = handle_;
  handle_->owner = this;
}

DhtSocket::Impl::~Impl() {
  if (other_ != nullptr) other_->pair_with(nullptr);
  handle_->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* uv) { delete static_cast<Handle*>(uv->data); });
}

Result<void> DhtSocket::Impl::bind(const Endpoint& at) {
  const sockaddr_storage address = to_sockaddr(at);
  int rc = uv_udp_bind(&handle_->uv, reinterpret_cast<const sockaddr*>(&address),
                       at.is_v4() ? 0 : UV_UDP_IPV6ONLY);
  const auto allocate = [](uv_handle_t* uv, std::size_t, uv_buf_t* out) {
    auto& buffer = static_cast<Handle*>(uv->data)->buffer;
    *out = uv_buf_init(buffer.data(), static_cast<unsigned int>(buffer.size()));
  };
  const auto received = [](uv_udp_t* uv, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
                           unsigned int) {
    Impl* owner = static_cast<Handle*>(uv->data)->owner;
    if (owner == nullptr || size < 0 || from == nullptr) return;  // nothing more, or an error
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(buffer->base);
    owner->on_datagram(from_sockaddr(*from), {bytes, static_cast<std::size_t>(size)});
  };
  if (rc == 0) rc = uv_udp_recv_start(&handle_->uv, allocate, received);
  sockaddr_storage bound{};
  int size = sizeof bound;
  if (rc == 0) rc = uv_udp_getsockname(&handle_->uv, reinterpret_cast<sockaddr*>(&bound), &size);
  if (rc != 0) {
    return io_error("cannot listen on UDP " + format_endpoint(at) + ": " + uv_strerror(rc) +
                    "; choose another address or port 0");
  }
  address_ = from_sockaddr(reinterpret_cast<const sockaddr&>(bound));
  return {};
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
  wire::OctetBuffer bytes = wire::encode_krpc(datagram.message);
  const sockaddr_storage address = to_sockaddr(datagram.to);
  const auto& to = reinterpret_cast<const sockaddr&>(address);
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned int>(bytes.size()));
  const int rc = uv_udp_try_send(&handle_->uv, &buffer, 1, &to);
  if (rc == UV_EAGAIN) return send_later(std::move(bytes), to);
  ++(rc < 0 ? stats_.dropped : stats_.sent);  // an address that cannot be reached times out
}

void DhtSocket::Impl::send_later(wire::OctetBuffer bytes, const sockaddr& to) {
  const Bytes waiting(static_cast<std::int64_t>(uv_udp_get_send_queue_size(&handle_->uv)));
  if (waiting + Bytes(std::ssize(bytes)) > limits_.max_waiting) {
    ++stats_.dropped;
    return;
  }
  auto sending = std::make_unique<Sending>();
  sending->bytes = std::move(bytes);
  sending->uv.data = sending.get();
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(sending->bytes.data()),
                                      static_cast<unsigned int>(sending->bytes.size()));
  const auto done = [](uv_udp_send_t* uv, int) { delete static_cast<Sending*>(uv->data); };
  if (uv_udp_send(&sending->uv, &handle_->uv, &buffer, 1, &to, done) != 0) {
    ++stats_.dropped;
    return;
  }
  static_cast<void>(sending.release());  // `done` owns it now
  ++stats_.sent;
}

DhtSocket::DhtSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DhtSocket::~DhtSocket() = default;

Result<std::unique_ptr<DhtSocket>> DhtSocket::listen(Loop& loop, const Endpoint& at,
                                                     dht::NodeParams params, Events events,
                                                     DhtSocketLimits limits) {
  params.v4 = at.is_v4();
  params.digest = &sha1;
  secure_random(params.key);
  auto impl = std::make_unique<Impl>(loop, params, std::move(events), limits);
  const auto bound = impl->bind(at);
  if (!bound) return bound.error();
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
