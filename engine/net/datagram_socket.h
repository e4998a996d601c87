// A UDP socket on a loop.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/net/local_interface.h"
#include "engine/net/loop.h"

namespace tributary::net {

// Longer datagrams are dropped.
inline constexpr Bytes kMaxDatagram = 8_KiB;
inline constexpr std::size_t kMaxGathered = 64;

// Loop thread only; must not outlive its loop. The callbacks must not destroy the socket. In one
// turn of the loop at most 40 datagrams are read, by libuv's own limit, so that a flood leaves time
// for the rest.
class DatagramSocket {
 public:
  // The bytes are valid during the call.
  using Receive = std::function<void(std::span<const std::uint8_t> datagram, const Endpoint& from)>;
  // The system says that the far end cannot be reached: connected sockets only.
  using Unreachable = std::function<void(const Error&)>;
  // The network says that nobody is at this address, to which something was sent. Anybody on the
  // way can say so.
  using Nobody = std::function<void(const Endpoint& to)>;

  // Takes datagrams from anybody. Port 0 is chosen by the system; an IPv6 address takes IPv6 only.
  // `nobody` may be empty, and is not called where the system does not tell (it is Linux that
  // does). Errors: the address is taken or not ours.
  static Result<std::unique_ptr<DatagramSocket>> bind(Loop& loop, const Endpoint& address,
                                                      Receive receive, Nobody nobody = {});
  // Takes datagrams from `remote` alone, at a port that the system chooses. Errors: no way to
  // there.
  static Result<std::unique_ptr<DatagramSocket>> connect(Loop& loop, const Endpoint& remote,
                                                         Receive receive, Unreachable unreachable);
  // Takes what is sent to the group on these networks, beside others on this machine that do.
  // Errors: the group's port is taken by one who shares it not, or a network carries no multicast.
  static Result<std::unique_ptr<DatagramSocket>> join(Loop& loop, const Endpoint& group,
                                                      std::span<const LocalInterface> networks,
                                                      Receive receive);
  // Sends to groups on this network, from our address in it and never beyond its routers; others on
  // this machine get it as well. What is sent to it in turn is dropped.
  static Result<std::unique_ptr<DatagramSocket>> to_group(Loop& loop,
                                                          const LocalInterface& network);
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  // For bound sockets. What the system cannot take at once waits here, up to `max_waiting` in all;
  // beyond that it is lost, as datagrams may be. False: lost, or no way to there.
  bool send_to(std::span<const std::uint8_t> datagram, const Endpoint& to, Bytes max_waiting = 0_B);
  // For bound sockets: like send_to(), but leaves with others by one system call, where the system
  // has one for that: when kMaxGathered are gathered, and by send_gathered().
  void gather(std::span<const std::uint8_t> datagram, const Endpoint& to, Bytes max_waiting = 0_B);
  void send_gathered();
  // For connected sockets. Never waits; an error when the far end cannot be reached.
  Result<void> send(std::span<const std::uint8_t> datagram);

  // Where it is bound.
  const Endpoint& address() const { return address_; }

 private:
  struct State;
  explicit DatagramSocket(State* state) : state_(state) {}
  Result<void> start();

  State* state_;  // owned; outlives the socket until libuv has closed the handle
  Endpoint address_;
};

}  // namespace tributary::net
