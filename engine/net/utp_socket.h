// uTP connections on a UDP port (BEP 29), as byte streams. The connections themselves are
// wire::UtpConnection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/core/dht_limiter.h"
#include "engine/net/byte_stream.h"
#include "engine/net/loop.h"
#include "engine/net/udp_port.h"
#include "engine/wire/utp_connection.h"

namespace tributary::net {

struct UtpLimits {
  // In all states: what a transport allows, and the two below.
  std::size_t max_connections = 330;
  // Answered SYNs whose senders have not proved yet that they are where they say. Beyond it the
  // oldest is forgotten, so that a flood of forged ones does not lock everybody out.
  std::size_t max_unproved = 64;
  // Closed streams whose last bytes and end are not acknowledged yet. Beyond it the oldest is
  // reset.
  std::size_t max_lingering = 64;
  // Their bytes have so long to leave.
  Duration linger = 10s;
  // Answers to strangers' SYNs, and RESETs for packets of no connection.
  core::dht::AnswerLimits answers{};
  // Datagrams that wait because the system takes none; more are lost.
  Bytes max_waiting = 64_KiB;
  // Fewer than UtpParams has: TCP is tried too.
  int max_syns = 2;
};

// Loop thread only; must be destroyed before the loop. Streams may outlive it: they fail then.
class UtpSocket {
 public:
  // A connection that somebody opened, whose owner is to be set at once; without one it is refused.
  using Incoming = std::function<void(std::unique_ptr<ByteStream>)>;

  // `incoming` may be empty: nobody is let in. It comes from within flush().
  UtpSocket(Loop& loop, std::shared_ptr<UdpPort> port, Incoming incoming, UtpLimits limits = {});
  ~UtpSocket();
  UtpSocket(const UtpSocket&) = delete;
  UtpSocket& operator=(const UtpSocket&) = delete;

  // A stream to be dialled. One that `punches` a hole goes on though the network says that nobody
  // is there: the router at the far end may say so until its side is open.
  std::unique_ptr<ByteStream> stream(bool punches = false);
  // Tells streams what has happened and sends what is to be sent. To be called at the end of each
  // turn of the loop. True: there was something to do, and there may be more.
  bool flush();

  const std::shared_ptr<UdpPort>& port() const;
  // Connections of all states.
  std::size_t size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::net
