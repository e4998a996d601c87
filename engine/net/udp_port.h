// One UDP port for two protocols: the DHT (BEP 5, whose datagrams begin with 'd') and uTP (BEP 29).
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "engine/net/datagram_socket.h"

namespace tributary::net {

// Loop thread only; shared by those who use it. What neither protocol sends is dropped.
class UdpPort {
 public:
  using Receive = DatagramSocket::Receive;

  // As DatagramSocket::bind().
  static Result<std::shared_ptr<UdpPort>> bind(Loop& loop, const Endpoint& at);

  // Who gets a protocol's datagrams; empty: nobody any more. The call must not end the port's life.
  void set_dht(Receive receive) { dht_ = std::move(receive); }
  void set_utp(Receive receive, DatagramSocket::Nobody nobody = {}) {
    utp_ = std::move(receive);
    utp_nobody_ = std::move(nobody);
  }

  // As DatagramSocket::send_to().
  bool send_to(std::span<const std::uint8_t> datagram, const Endpoint& to, Bytes max_waiting) {
    return socket_->send_to(datagram, to, max_waiting);
  }
  // As DatagramSocket's.
  void gather(std::span<const std::uint8_t> datagram, const Endpoint& to, Bytes max_waiting) {
    socket_->gather(datagram, to, max_waiting);
  }
  void send_gathered() { socket_->send_gathered(); }
  const Endpoint& address() const { return socket_->address(); }

 private:
  UdpPort() = default;

  std::unique_ptr<DatagramSocket> socket_;
  Receive dht_;
  Receive utp_;
  DatagramSocket::Nobody utp_nobody_;
};

}  // namespace tributary::net
