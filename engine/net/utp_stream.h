// One uTP connection as a byte stream; part of UtpSocket.
#pragma once

#include <uv.h>

#include "engine/base/endpoint.h"
#include "engine/net/byte_stream.h"
#include "engine/net/loop.h"
#include "engine/wire/utp_connection.h"

namespace tributary::net {

class UtpStream;

// A connection with its place in the socket.
struct UtpFlow {
  wire::UtpConnection connection;
  Endpoint remote;
  UtpStream* stream = nullptr;  // none: not proved yet, or closed by its owner
  bool proved = false;          // ours, or its sender has shown that it is where it says
  bool punches = false;         // a hole, and is dialled on whatever the network says
  bool dirty = false;           // waits for the next flush
  TimePoint since{};            // begun, or closed by its owner
};

// What streams ask of their socket.
class UtpFlows {
 public:
  // A connection that is being opened; null when there are too many.
  virtual UtpFlow* open(const Endpoint& remote, UtpStream& stream, bool punches) = 0;
  // Its owner has closed the stream.
  virtual void release(UtpFlow& flow) = 0;
  virtual void touch(UtpFlow& flow) = 0;

 protected:
  ~UtpFlows() = default;
};

class UtpStream final : public ByteStream {
 public:
  // To be dialled, or of a flow that has come in.
  UtpStream(Loop& loop, UtpFlows& flows, UtpFlow* flow, bool punches = false);

  void dial(const Endpoint& remote) override;
  void start_reading() override;
  void stop_reading() override { reading_ = false; }
  void write(const std::vector<wire::Octets>& parts) override;
  // What is behind it waits for a congestion window that may be small.
  Bytes write_size() const override { return 32_KiB; }
  void close() override;
  Endpoint remote() const override { return flow_ == nullptr ? Endpoint() : flow_->remote; }
  bool is_utp() const override { return true; }

  // For the socket: tells the owner what has happened; takes what is written. `now` is the time.
  void advance(TimePoint now);
  // The socket is gone.
  void detach();

 private:
  void report_connected();
  void deliver(TimePoint now);
  void report_end();
  void fail(const std::string& reason);
  bool pump();

  UtpFlows* flows_;  // none: gone
  UtpFlow* flow_;    // none: not dialled, or gone
  bool punches_;
  bool connected_;
  bool reading_ = false;
  bool writing_ = false;
  bool failed_ = false;
  bool closing_ = false;
  std::vector<wire::Octets> parts_;  // to be written, the first of them from `offset_` on
  std::size_t next_part_ = 0;
  std::size_t offset_ = 0;
  uv_idle_t handle_{};  // never started: its closing puts on_stream_closed() off to a later turn
};

}  // namespace tributary::net
