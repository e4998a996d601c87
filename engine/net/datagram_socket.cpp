#include "engine/net/datagram_socket.h"

#include <uv.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/source_address.h"

namespace tributary::net {
namespace {

// Asked of the system for what comes between two turns of the loop; its default holds a hundred uTP
// packets.
constexpr int kReceiveBuffer = 1 << 20;
// Where many datagrams are awaited, libuv reads up to so many by one system call, each into so much
// room; what no datagram reaches takes no memory.
constexpr std::size_t kDatagramsAtOnce = 20;
constexpr std::size_t kDatagramRoom = 64 * 1024;
enum class Expect { kFew, kMany };

const sockaddr* generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

uv_buf_t buffer_of(std::span<const std::uint8_t> datagram) {
  // libuv has no const buffers; it only reads this one.
  auto* bytes = const_cast<std::uint8_t*>(datagram.data());
  return uv_buf_init(reinterpret_cast<char*>(bytes), static_cast<unsigned int>(datagram.size()));
}

// How libuv wants an interface named: by its IPv4 address, or by a name in the place of a zone.
std::string multicast_name(const LocalInterface& network) {
  return network.address.is_v4() ? format_address(network.address) : "::%" + network.name;
}

void stay_on_device(Loop& loop, uv_udp_t& uv) {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&uv), &fd) == 0) keep_on_device(loop, fd);
}

Error socket_error(const char* what, const Endpoint& address, int rc) {
  return io_error(std::string("cannot ") + what + " " + format_endpoint(address) +
                  " by UDP: " + uv_strerror(rc));
}

}  // namespace

struct DatagramSocket::State {
  struct Waiting {
    uv_udp_send_t uv{};
    std::vector<std::uint8_t> bytes;
  };

  uv_udp_t uv{};
  Receive receive;
  Unreachable unreachable;
  std::optional<Endpoint> remote;  // connected
  std::size_t buffer_size;
  std::unique_ptr<char[]> buffer;

  State(Loop& loop, Receive r, Expect expect)
      : receive(std::move(r)),
        buffer_size(expect == Expect::kMany ? kDatagramsAtOnce * kDatagramRoom
                                            : static_cast<std::size_t>(kMaxDatagram.count())),
        buffer(new char[buffer_size]) {
    const unsigned int flags = expect == Expect::kMany ? UV_UDP_RECVMMSG : 0;
    TRIBUTARY_CHECK(uv_udp_init_ex(loop.uv(), &uv, AF_UNSPEC | flags) == 0);
  }

  bool send_later(std::span<const std::uint8_t> datagram, const sockaddr* to) {
    auto waiting = std::make_unique<Waiting>();
    waiting->bytes.assign(datagram.begin(), datagram.end());
    waiting->uv.data = waiting.get();
    const uv_buf_t content = buffer_of(waiting->bytes);
    const auto done = [](uv_udp_send_t* sent, int) { delete static_cast<Waiting*>(sent->data); };
    if (uv_udp_send(&waiting->uv, &uv, &content, 1, to, done) != 0) return false;
    static_cast<void>(waiting.release());  // `done` owns it now
    return true;
  }

  void on_read(ssize_t size, const uv_buf_t& read, const sockaddr* from, unsigned int flags) {
    if (size < 0) {
      if (remote) unreachable(socket_error("reach", *remote, static_cast<int>(size)));
      return;
    }
    if (!from || (flags & UV_UDP_PARTIAL) != 0 || size > kMaxDatagram.count()) return;
    const Endpoint sender = from_sockaddr(*from);
    // What came between bind and connect may be from anybody.
    if (remote && sender != *remote) return;
    receive({reinterpret_cast<const std::uint8_t*>(read.base), static_cast<std::size_t>(size)},
            sender);
  }
};

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(Loop& loop, const Endpoint& wanted,
                                                             Receive receive) {
  TRIBUTARY_TRY(address, bound_by_source(loop, wanted));
  auto* state = new State(loop, std::move(receive), Expect::kMany);
  std::unique_ptr<DatagramSocket> socket(new DatagramSocket(state));
  const unsigned int flags = address.is_v4() ? 0 : UV_UDP_IPV6ONLY;
  const int rc = uv_udp_bind(&state->uv, generic(to_sockaddr(address)), flags);
  if (rc != 0) return socket_error("listen on", address, rc);
  if (!address.is_loopback()) stay_on_device(loop, state->uv);
  int buffer = kReceiveBuffer;  // less will do
  uv_recv_buffer_size(reinterpret_cast<uv_handle_t*>(&state->uv), &buffer);
  if (auto started = socket->start(); !started) return started.error();
  return socket;
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::connect(Loop& loop, const Endpoint& remote,
                                                                Receive receive,
                                                                Unreachable unreachable) {
  TRIBUTARY_TRY(source, source_towards(loop, remote));
  auto* state = new State(loop, std::move(receive), Expect::kFew);
  std::unique_ptr<DatagramSocket> socket(new DatagramSocket(state));
  state->unreachable = std::move(unreachable);
  state->remote = remote;
  int rc = source ? uv_udp_bind(&state->uv, generic(to_sockaddr(*source)), 0) : 0;
  if (rc != 0) return socket_error("talk from", *source, rc);
  if (source) stay_on_device(loop, state->uv);
  rc = uv_udp_connect(&state->uv, generic(to_sockaddr(remote)));
  if (rc != 0) return socket_error("reach", remote, rc);
  if (auto started = socket->start(); !started) return started.error();
  return socket;
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::join(
    Loop& loop, const Endpoint& group, std::span<const LocalInterface> networks, Receive receive) {
  auto* state = new State(loop, std::move(receive), Expect::kFew);
  std::unique_ptr<DatagramSocket> socket(new DatagramSocket(state));
  unsigned int flags = UV_UDP_REUSEADDR;
  if (!group.is_v4()) flags |= UV_UDP_IPV6ONLY;
  int rc = uv_udp_bind(&state->uv, generic(to_sockaddr(group)), flags);
  const std::string text = format_address(group);
  for (const LocalInterface& network : networks) {
    if (rc != 0) break;
    rc = uv_udp_set_membership(&state->uv, text.c_str(), multicast_name(network).c_str(),
                               UV_JOIN_GROUP);
  }
  if (rc != 0) return socket_error("join", group, rc);
  if (auto started = socket->start(); !started) return started.error();
  return socket;
}

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::to_group(Loop& loop,
                                                                 const LocalInterface& network) {
  auto socket = bind(loop, network.address, [](auto, const Endpoint&) {});
  if (!socket) return socket;
  uv_udp_t* uv = &(*socket)->state_->uv;
  const std::string name = multicast_name(network);
  int rc = uv_udp_set_multicast_interface(uv, name.c_str());
  if (rc == 0) rc = uv_udp_set_multicast_ttl(uv, 1);
  if (rc == 0) rc = uv_udp_set_multicast_loop(uv, 1);
  if (rc != 0) return socket_error("multicast from", network.address, rc);
  return socket;
}

Result<void> DatagramSocket::start() {
  state_->uv.data = state_;
  const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    State& state = *static_cast<State*>(handle->data);
    *out = uv_buf_init(state.buffer.get(), static_cast<unsigned int>(state.buffer_size));
  };
  const auto read = [](uv_udp_t* uv, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
                       unsigned int flags) {
    static_cast<State*>(uv->data)->on_read(size, *buffer, from, flags);
  };
  sockaddr_storage bound{};
  int length = sizeof bound;
  int rc = uv_udp_recv_start(&state_->uv, lend, read);
  if (rc == 0) {
    rc = uv_udp_getsockname(&state_->uv, reinterpret_cast<sockaddr*>(&bound), &length);
  }
  if (rc != 0) return io_error(std::string("cannot use a UDP socket: ") + uv_strerror(rc));
  address_ = from_sockaddr(*generic(bound));
  return {};
}

DatagramSocket::~DatagramSocket() {
  state_->uv.data = state_;
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->uv),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

bool DatagramSocket::send_to(std::span<const std::uint8_t> datagram, const Endpoint& to,
                             Bytes max_waiting) {
  const uv_buf_t buffer = buffer_of(datagram);
  const sockaddr_storage address = to_sockaddr(to);
  const int rc = uv_udp_try_send(&state_->uv, &buffer, 1, generic(address));
  if (rc != UV_EAGAIN) return rc >= 0;
  const Bytes waiting(static_cast<std::int64_t>(uv_udp_get_send_queue_size(&state_->uv)));
  if (waiting + Bytes(std::ssize(datagram)) > max_waiting) return false;
  return state_->send_later(datagram, generic(address));
}

Result<void> DatagramSocket::send(std::span<const std::uint8_t> datagram) {
  const uv_buf_t buffer = buffer_of(datagram);
  const int rc = uv_udp_try_send(&state_->uv, &buffer, 1, nullptr);
  if (rc >= 0 || rc == UV_EAGAIN || rc == UV_ENOBUFS) return {};
  return socket_error("reach", *state_->remote, rc);
}

}  // namespace tributary::net
