#include "engine/net/udp_tracker_server.h"

#include <string>
#include <utility>

#include "engine/net/digests.h"

namespace tributary::net {
namespace {

wire::UdpTrackerService::Key draw_key() {
  wire::UdpTrackerService::Key key{};
  secure_random(key);
  return key;
}

}  // namespace

UdpTrackerServer::UdpTrackerServer(Loop& loop, wire::TrackerState& state)
    : loop_(loop), service_(state, kDigester, draw_key()), turn_end_(loop, [this] {
        if (socket_) socket_->send_gathered();
      }) {}

Result<std::unique_ptr<UdpTrackerServer>> UdpTrackerServer::serve(Loop& loop,
                                                                  const Endpoint& address,
                                                                  wire::TrackerState& state) {
  std::unique_ptr<UdpTrackerServer> server(new UdpTrackerServer(loop, state));
  auto socket = DatagramSocket::bind(
      loop, address, [raw = server.get()](wire::Octets datagram, const Endpoint& from) {
        raw->on_datagram(datagram, from);
      });
  if (!socket) {
    return io_error(socket.error().message + "; choose another with --listen, or give --no-udp");
  }
  server->socket_ = std::move(*socket);
  return server;
}

void UdpTrackerServer::on_datagram(wire::Octets datagram, const Endpoint& from) {
  const auto answer = service_.handle(datagram, from, loop_.now());
  if (answer) socket_->gather(*answer, from);
}

}  // namespace tributary::net
