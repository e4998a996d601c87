// Small RAII shells of libuv handles for the transport.
#pragma once

#include <uv.h>

#include <functional>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/loop.h"

namespace tributary::net {

// A listening TCP socket. Loop thread only.
class PeerListener {
 public:
  using Incoming = std::function<void(uv_stream_t*)>;  // must uv_accept() at once

  explicit PeerListener(Loop& loop);
  ~PeerListener();
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;

  // The bound address, with the port that the system chose for 0. An IPv6 address takes IPv6
  // connections only, so that both families can share a port. Once.
  Result<Endpoint> listen(const Endpoint& at, Incoming incoming);

 private:
  struct State;
  Loop& loop_;
  State* state_;  // deleted when libuv has closed it
};

// Calls back in every turn of the loop after its events are handled, before it waits for more.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, Loop::Task callback);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

 private:
  struct State;
  State* state_;
};

}  // namespace tributary::net
