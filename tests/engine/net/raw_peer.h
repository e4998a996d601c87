// Sockets that send whatever bytes a test wants, to talk badly to a transport.
#pragma once

#include <uv.h>

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/peer_listener.h"
#include "engine/wire/octets.h"

namespace tributary::net {

// One raw connection, dialled or accepted. Writes wait until it is up.
class RawPeer {
 public:
  RawPeer(Loop& loop, const Endpoint& to) : RawPeer(loop) {
    const sockaddr_storage address = to_sockaddr(to);
    state_->connect.data = state_;
    const auto connected = [](uv_connect_t* request, int status) {
      if (status == 0) static_cast<State*>(request->data)->read();
    };
    const int rc = uv_tcp_connect(&state_->connect, &state_->tcp,
                                  reinterpret_cast<const sockaddr*>(&address), connected);
    TRIBUTARY_CHECK(rc == 0);
  }
  RawPeer(Loop& loop, uv_stream_t* listener) : RawPeer(loop) {
    TRIBUTARY_CHECK(uv_accept(listener, state_->stream()) == 0);
    state_->read();
  }
  ~RawPeer() {
    state_->orphan = true;
    close();
    if (state_->gone) delete state_;
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  void send(wire::Octets bytes) {
    struct Write {
      uv_write_t uv{};
      wire::OctetBuffer bytes;
    };
    auto* write = new Write{{}, {bytes.begin(), bytes.end()}};
    write->uv.data = write;
    const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(write->bytes.data()),
                                        static_cast<unsigned int>(write->bytes.size()));
    const auto done = [](uv_write_t* uv, int) { delete static_cast<Write*>(uv->data); };
    TRIBUTARY_CHECK(uv_write(&write->uv, state_->stream(), &buffer, 1, done) == 0);
  }
  void send(std::initializer_list<std::uint8_t> bytes) {
    send(wire::Octets(bytes.begin(), bytes.size()));
  }
  void send_text(std::string_view text) { send(wire::as_octets(text)); }
  void stop_reading() { uv_read_stop(state_->stream()); }
  void close() { state_->close(); }

  bool closed() const { return state_->ended; }  // by the other side
  const wire::OctetBuffer& received() const { return state_->received; }

 private:
  struct State {
    uv_tcp_t tcp{};
    uv_connect_t connect{};
    char space[4096];
    wire::OctetBuffer received;
    bool ended = false;
    bool closing = false;
    bool gone = false;    // libuv is done with it
    bool orphan = false;  // its RawPeer is

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
    void read() {
      const auto space_for = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
        *out = uv_buf_init(static_cast<State*>(handle->data)->space, sizeof State::space);
      };
      const auto on_read = [](uv_stream_t* from, ssize_t n, const uv_buf_t* buffer) {
        auto* state = static_cast<State*>(from->data);
        if (n < 0) {
          state->ended = true;
          return state->close();
        }
        state->received.insert(state->received.end(), buffer->base, buffer->base + n);
      };
      uv_read_start(stream(), space_for, on_read);
    }
    void close() {
      if (std::exchange(closing, true)) return;
      uv_close(reinterpret_cast<uv_handle_t*>(&tcp), [](uv_handle_t* handle) {
        auto* state = static_cast<State*>(handle->data);
        state->gone = true;
        if (state->orphan) delete state;
      });
    }
  };

  explicit RawPeer(Loop& loop) : state_(new State) {
    TRIBUTARY_CHECK(uv_tcp_init(loop.uv(), &state_->tcp) == 0);
    state_->tcp.data = state_;
  }

  State* state_;
};

// Accepts connections and says nothing by itself.
class RawListener {
 public:
  explicit RawListener(Loop& loop) : listener_(loop) {
    auto bound =
        listener_.listen(Endpoint::v4(127, 0, 0, 1, 0), [this, &loop](uv_stream_t* stream) {
          peers_.push_back(std::make_unique<RawPeer>(loop, stream));
        });
    TRIBUTARY_CHECK(bound.ok());
    endpoint_ = *bound;
  }
  const Endpoint& endpoint() const { return endpoint_; }
  std::size_t peers() const { return peers_.size(); }
  void send(std::size_t peer, wire::Octets bytes) { peers_.at(peer)->send(bytes); }

 private:
  PeerListener listener_;
  Endpoint endpoint_;
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

}  // namespace tributary::net
