// A DHT node on a UDP socket.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/dht_node.h"
#include "engine/net/loop.h"
#include "engine/net/udp_port.h"
#include "engine/wire/dht_state.h"

namespace tributary::net {

struct DhtSocketLimits {
  // Datagrams that wait because the system takes none; more are dropped, as the network would.
  Bytes max_waiting = 64_KiB;
};

struct DhtSocketStats {
  std::int64_t received = 0;   // datagrams
  std::int64_t malformed = 0;  // of them
  std::int64_t sent = 0;
  std::int64_t dropped = 0;  // not sent
};

// Loop thread only; must be destroyed before the loop. Events are LookupStep, PeersFound,
// LookupDone and Joined. They come on a later turn of the loop than the call that causes them,
// never after the destructor; the callback may call the socket, but not destroy it.
class DhtSocket {
 public:
  using Events = std::function<void(const core::dht::Action&)>;

  // Binds to the address; its family is the node's, an IPv6 socket takes IPv6 only. `params` needs
  // neither key nor digest. `events` may be empty. Errors: kIo, with how to mend it.
  static Result<std::unique_ptr<DhtSocket>> listen(Loop& loop, const Endpoint& at,
                                                   core::dht::NodeParams params, Events events,
                                                   DhtSocketLimits limits = {});
  // The same at a port that is bound already, which the node shares with uTP; it has its family.
  static std::unique_ptr<DhtSocket> share(Loop& loop, std::shared_ptr<UdpPort> port,
                                          core::dht::NodeParams params, Events events,
                                          DhtSocketLimits limits = {});
  ~DhtSocket();
  DhtSocket(const DhtSocket&) = delete;
  DhtSocket& operator=(const DhtSocket&) = delete;

  // Lets the two families help each other (BEP 32); ends with either's life.
  // REQUIRES: one is of IPv4, the other of IPv6, and neither has a partner.
  static void pair(DhtSocket& a, DhtSocket& b);

  // With the port that the system chose for 0.
  const Endpoint& address() const;
  void bootstrap(const std::vector<Endpoint>& hosts);
  // What an earlier run has saved. Its id is not taken over: give it as NodeParams::id.
  void restore(const wire::DhtState& state);
  // The node's id and table, and the other family's where paired: one file serves both.
  wire::DhtState save() const;

  // As in dht::Node.
  core::dht::LookupId find_peers(const core::dht::NodeId& info_hash);
  core::dht::LookupId announce(const core::dht::NodeId& info_hash, std::uint16_t port);
  void cancel(core::dht::LookupId lookup);

  const core::dht::Node& node() const;
  const DhtSocketStats& stats() const;

 private:
  class Impl;
  explicit DhtSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::net
