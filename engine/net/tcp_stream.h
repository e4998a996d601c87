// A TCP connection as a byte stream.
#pragma once

#include <uv.h>

#include <memory>

#include "engine/base/result.h"
#include "engine/net/byte_stream.h"
#include "engine/net/loop.h"

namespace tributary::net {

class TcpStream final : public ByteStream {
 public:
  // One that is to be dialled.
  explicit TcpStream(Loop& loop);
  // Takes over the connection that is pending at a listener, within its callback.
  TcpStream(Loop& loop, uv_stream_t* listener);

  void dial(const Endpoint& remote) override;
  void start_reading() override;
  void stop_reading() override;
  void write(const std::vector<wire::Octets>& parts) override;
  Bytes write_size() const override { return 256_KiB; }
  void close() override;
  // Of a connection that is gone already: nothing known, port 0.
  Endpoint remote() const override;
  bool is_utp() const override { return false; }

 private:
  static TcpStream& from(void* data) { return *static_cast<TcpStream*>(data); }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void fail(const char* what, int status);
  Result<void> bind_towards(const Endpoint& remote);

  Loop& loop_;
  uv_tcp_t tcp_{};
  // While there is a dial or a write, which there is not of most connections most of the time.
  std::unique_ptr<uv_connect_t> connect_;
  std::unique_ptr<uv_write_t> write_;
  bool closing_ = false;
};

}  // namespace tributary::net
