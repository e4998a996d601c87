#include "engine/net/datagram_socket.h"

#include <uv.h>

#ifdef __linux__
#include <linux/errqueue.h>
#include <netinet/in.h>
#endif

#include <array>
#include <cerrno>
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

// Of a socket that is bound.
int descriptor_of(const uv_udp_t& uv) {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&uv), &fd);
  return fd;
}

void stay_on_device(Loop& loop, const uv_udp_t& uv) { keep_on_device(loop, descriptor_of(uv)); }

#ifdef __linux__
// Has the system keep what the network says of datagrams that were sent (ICMP).
void keep_errors(int fd, bool v4) {
  const int on = 1;
  if (v4) {
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  } else {
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  }
}

// Where the next datagram went of which it was said that nobody is there; `more` is false once
// nothing is kept.
std::optional<Endpoint> next_nobody(int fd, bool& more) {
  sockaddr_storage to{};
  alignas(cmsghdr) char control[512];
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  more = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
  if (!more || message.msg_namelen == 0) return std::nullopt;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    const bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
    const bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    const auto& error = *reinterpret_cast<const sock_extended_err*>(CMSG_DATA(part));
    if (error.ee_errno == ECONNREFUSED || error.ee_errno == EHOSTUNREACH) {
      return from_sockaddr(*generic(to));
    }
  }
  return std::nullopt;
}
#else
void keep_errors(int, bool) {}
std::optional<Endpoint> next_nobody(int, bool& more) {
  more = false;
  return std::nullopt;
}
#endif

Error socket_error(const char* what, const Endpoint& address, int rc) {
  return io_error(std::string("cannot ") + what + " " + format_endpoint(address) +
                  " by UDP: " + uv_strerror(rc));
}

}  // namespace

struct DatagramSocket::State {
  // Datagrams that leave together, one behind the other.
  struct Gathered {
    struct Part {
      std::size_t begin = 0;
      Endpoint to;
    };
    std::vector<std::uint8_t> bytes;
    std::vector<Part> parts;
    Bytes max_waiting;

    std::span<const std::uint8_t> datagram(std::size_t i) const {
      const std::size_t end = i + 1 < parts.size() ? parts[i + 1].begin : bytes.size();
      return std::span(bytes).subspan(parts[i].begin, end - parts[i].begin);
    }
  };
  struct Waiting {
    uv_udp_send_t uv{};
    std::vector<std::uint8_t> bytes;
  };

  uv_udp_t uv{};
  Gathered gathered;
  Receive receive;
  Unreachable unreachable;
  Nobody nobody;
  bool heard = false;              // since libuv last found nothing more to read
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

#ifdef __linux__
  // Of the gathered ones from `first` on; how many left.
  std::size_t send_many(std::size_t first) {
    std::array<mmsghdr, kMaxGathered> messages{};
    std::array<iovec, kMaxGathered> contents;
    std::array<sockaddr_storage, kMaxGathered> targets;
    const std::size_t count = gathered.parts.size() - first;
    for (std::size_t i = 0; i < count; ++i) {
      const auto datagram = gathered.datagram(first + i);
      contents[i] = {const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
      targets[i] = to_sockaddr(gathered.parts[first + i].to);
      msghdr& header = messages[i].msg_hdr;
      header.msg_name = &targets[i];
      header.msg_namelen =
          targets[i].ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
      header.msg_iov = &contents[i];
      header.msg_iovlen = 1;
    }
    const int sent = sendmmsg(descriptor_of(uv), messages.data(), static_cast<unsigned int>(count),
                              MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
#else
  std::size_t send_many(std::size_t) { return 0; }
#endif

  void report_nobody() {
    const int fd = descriptor_of(uv);
    // As with datagrams, a flood leaves time for the rest.
    for (std::size_t n = 0; n < kDatagramsAtOnce; ++n) {
      bool more = false;
      if (const auto to = next_nobody(fd, more)) nobody(*to);
      if (!more) return;
    }
  }

  void on_read(ssize_t size, const uv_buf_t& read, const sockaddr* from, unsigned int flags) {
    if (size < 0) {
      if (remote) unreachable(socket_error("reach", *remote, static_cast<int>(size)));
      if (nobody) report_nobody();
      return;
    }
    // Woken up with nothing to read, there is something else.
    const bool drained = !from && (flags & UV_UDP_MMSG_FREE) == 0;
    if (drained && !std::exchange(heard, false) && nobody) return report_nobody();
    if (from) heard = true;
    if (!from || (flags & UV_UDP_PARTIAL) != 0 || size > kMaxDatagram.count()) return;
    const Endpoint sender = from_sockaddr(*from);
    // What came between bind and connect may be from anybody.
    if (remote && sender != *remote) return;
    receive({reinterpret_cast<const std::uint8_t*>(read.base), static_cast<std::size_t>(size)},
            sender);
  }
};

Result<std::unique_ptr<DatagramSocket>> DatagramSocket::bind(Loop& loop, const Endpoint& wanted,
                                                             Receive receive, Nobody nobody) {
  TRIBUTARY_TRY(address, bound_by_source(loop, wanted));
  auto* state = new State(loop, std::move(receive), Expect::kMany);
  std::unique_ptr<DatagramSocket> socket(new DatagramSocket(state));
  state->nobody = std::move(nobody);
  const unsigned int flags = address.is_v4() ? 0 : UV_UDP_IPV6ONLY;
  const int rc = uv_udp_bind(&state->uv, generic(to_sockaddr(address)), flags);
  if (rc != 0) return socket_error("listen on", address, rc);
  if (!address.is_loopback()) stay_on_device(loop, state->uv);
  if (state->nobody) keep_errors(descriptor_of(state->uv), address.is_v4());
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
  int rc = uv_udp_try_send(&state_->uv, &buffer, 1, generic(address));
  // The error may be an earlier datagram's, told once.
  if (rc < 0 && rc != UV_EAGAIN && state_->nobody) {
    rc = uv_udp_try_send(&state_->uv, &buffer, 1, generic(address));
  }
  if (rc != UV_EAGAIN) return rc >= 0;
  const Bytes waiting(static_cast<std::int64_t>(uv_udp_get_send_queue_size(&state_->uv)));
  if (waiting + Bytes(std::ssize(datagram)) > max_waiting) return false;
  return state_->send_later(datagram, generic(address));
}

void DatagramSocket::gather(std::span<const std::uint8_t> datagram, const Endpoint& to,
                            Bytes max_waiting) {
  State::Gathered& g = state_->gathered;
  g.parts.push_back({g.bytes.size(), to});
  g.bytes.insert(g.bytes.end(), datagram.begin(), datagram.end());
  g.max_waiting = max_waiting;
  if (g.parts.size() == kMaxGathered) send_gathered();
}

// What the system does not take of them goes, or waits, one by one.
void DatagramSocket::send_gathered() {
  State::Gathered& g = state_->gathered;
  for (std::size_t sent = 0; sent < g.parts.size();) {
    const bool queue = uv_udp_get_send_queue_count(&state_->uv) > 0;
    const std::size_t n = queue || g.parts.size() == 1 ? 0 : state_->send_many(sent);
    sent += n;
    if (n > 0) continue;
    send_to(g.datagram(sent), g.parts[sent].to, g.max_waiting);
    ++sent;
  }
  g.bytes.clear();
  g.parts.clear();
}

Result<void> DatagramSocket::send(std::span<const std::uint8_t> datagram) {
  const uv_buf_t buffer = buffer_of(datagram);
  const int rc = uv_udp_try_send(&state_->uv, &buffer, 1, nullptr);
  if (rc >= 0 || rc == UV_EAGAIN || rc == UV_ENOBUFS) return {};
  return socket_error("reach", *state_->remote, rc);
}

}  // namespace tributary::net
