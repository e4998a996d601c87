#include "engine/net/peer_listener.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/source_address.h"

namespace tributary::net {
namespace {

// Connections that the system accepts ahead of us; the usual value.
constexpr int kBacklog = 128;

template <class State>
void close_and_delete(State* state) {
  uv_close(reinterpret_cast<uv_handle_t*>(&state->uv),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

Error listen_error(const Endpoint& at, int status) {
  return io_error("cannot listen on " + format_endpoint(at) + ": " + uv_strerror(status) +
                  "; choose another address or port 0");
}

}  // namespace

struct PeerListener::State {
  uv_tcp_t uv{};
  Incoming incoming;
};

PeerListener::PeerListener(Loop& loop) : loop_(loop), state_(new State) {
  TRIBUTARY_CHECK(uv_tcp_init(loop.uv(), &state_->uv) == 0);
  state_->uv.data = state_;
}

PeerListener::~PeerListener() { close_and_delete(state_); }

Result<Endpoint> PeerListener::listen(const Endpoint& wanted, Incoming incoming) {
  TRIBUTARY_TRY(at, bound_by_source(loop_, wanted));
  state_->incoming = std::move(incoming);
  const sockaddr_storage address = to_sockaddr(at);
  const unsigned int flags = at.is_v4() ? 0 : UV_TCP_IPV6ONLY;
  int rc = uv_tcp_bind(&state_->uv, reinterpret_cast<const sockaddr*>(&address), flags);
  if (rc != 0) return listen_error(at, rc);
  const auto accept = [](uv_stream_t* stream, int status) {
    if (status == 0) static_cast<State*>(stream->data)->incoming(stream);
  };
  rc = uv_listen(reinterpret_cast<uv_stream_t*>(&state_->uv), kBacklog, accept);
  if (rc != 0) return listen_error(at, rc);
  sockaddr_storage bound{};
  int size = sizeof bound;
  auto* generic = reinterpret_cast<sockaddr*>(&bound);
  rc = uv_tcp_getsockname(&state_->uv, generic, &size);
  if (rc != 0) return listen_error(at, rc);
  return from_sockaddr(*generic);
}

struct TurnEnd::State {
  uv_prepare_t uv{};
  Loop::Task callback;
};

TurnEnd::TurnEnd(Loop& loop, Loop::Task callback) : state_(new State{{}, std::move(callback)}) {
  TRIBUTARY_CHECK(uv_prepare_init(loop.uv(), &state_->uv) == 0);
  state_->uv.data = state_;
  const auto run = [](uv_prepare_t* uv) { static_cast<State*>(uv->data)->callback(); };
  TRIBUTARY_CHECK(uv_prepare_start(&state_->uv, run) == 0);
}

TurnEnd::~TurnEnd() { close_and_delete(state_); }

}  // namespace tributary::net
