#include "engine/net/udp_port.h"

#include "engine/wire/utp_packet.h"

namespace tributary::net {

Result<std::shared_ptr<UdpPort>> UdpPort::bind(Loop& loop, const Endpoint& at) {
  std::shared_ptr<UdpPort> port(new UdpPort);
  auto socket = DatagramSocket::bind(
      loop, at,
      [me = port.get()](std::span<const std::uint8_t> datagram, const Endpoint& from) {
        const Receive& receive = wire::looks_like_utp(datagram) ? me->utp_ : me->dht_;
        if (receive) receive(datagram, from);
      },
      [me = port.get()](const Endpoint& to) {
        if (me->utp_nobody_) me->utp_nobody_(to);
      });
  if (!socket) return io_error(socket.error().message + "; choose another address or port 0");
  port->socket_ = std::move(*socket);
  return port;
}

}  // namespace tributary::net
