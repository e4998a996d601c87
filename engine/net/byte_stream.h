// A connection's bytes, whatever carries them: TCP (tcp_stream.h) or uTP (utp_socket.h).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/wire/octets.h"

namespace tributary::net {

// What a stream tells its owner. Each call but the last may call the stream.
class StreamOwner {
 public:
  // A dial has succeeded.
  virtual void on_stream_connected() = 0;
  // Where the next bytes are to go, at least one.
  virtual std::span<std::uint8_t> stream_space() = 0;
  // The bytes are in the space that was lent, and may be changed there.
  virtual void on_stream_bytes(std::span<std::uint8_t> bytes) = 0;
  // The write is done: the stream has taken all of it.
  virtual void on_stream_written() = 0;
  // It has failed or the far end has closed it; to be closed. At most once.
  virtual void on_stream_failed(const std::string& reason) = 0;
  // The last call, after close(), on a later turn. The stream is to be destroyed then, or later.
  virtual void on_stream_closed() = 0;

 protected:
  ~StreamOwner() = default;
};

// Loop thread only. A stream is made dialling or connected already; destroyed after
// on_stream_closed() only. It needs an owner before it is used, who outlives it or sees it closed.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  void set_owner(StreamOwner& owner) { owner_ = &owner; }
  // Opens a connection; on_stream_connected() or on_stream_failed() follows. Of a stream that is
  // not connected, once.
  virtual void dial(const Endpoint& remote) = 0;
  // Bytes come only between these two; none after stop_reading() returns.
  virtual void start_reading() = 0;
  virtual void stop_reading() = 0;
  // The parts must stay as they are until on_stream_written(), which comes on a later turn, or
  // until the stream is closed. REQUIRES: no other write is going on.
  virtual void write(const std::vector<wire::Octets>& parts) = 0;
  // As much as should be written at once: enough to share the cost of a call, little enough to keep
  // what is urgent from waiting behind it.
  virtual Bytes write_size() const = 0;
  // Sends what was taken, if it can, and reads no more. Once.
  virtual void close() = 0;

  // The far end; only of connected streams.
  virtual Endpoint remote() const = 0;
  virtual bool is_utp() const = 0;

 protected:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  StreamOwner& owner() const { return *owner_; }

 private:
  StreamOwner* owner_ = nullptr;
};

}  // namespace tributary::net
