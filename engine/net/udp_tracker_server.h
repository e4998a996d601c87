// A tracker's UDP socket: datagrams to and from wire::UdpTrackerService.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/datagram_socket.h"
#include "engine/net/loop.h"
#include "engine/net/peer_listener.h"
#include "engine/wire/tracker_state.h"
#include "engine/wire/udp_tracker_service.h"

namespace tributary::net {

// Loop thread only; must not outlive the loop or the state. The answers of one turn of the loop
// leave together at its end. Those that the system cannot take at once are dropped, so nothing
// piles up. See DatagramSocket for how much is read in one turn.
class UdpTrackerServer {
 public:
  // An IPv6 address is served over IPv6 only. Errors: the port is taken or the address not ours.
  static Result<std::unique_ptr<UdpTrackerServer>> serve(Loop& loop, const Endpoint& address,
                                                         wire::TrackerState& state);

  Endpoint address() const { return socket_->address(); }
  std::int64_t announces() const { return service_.announces(); }

 private:
  UdpTrackerServer(Loop& loop, wire::TrackerState& state);
  void on_datagram(wire::Octets datagram, const Endpoint& from);

  Loop& loop_;
  wire::UdpTrackerService service_;
  std::unique_ptr<DatagramSocket> socket_;
  TurnEnd turn_end_;
};

}  // namespace tributary::net
