// A dial by two ways, of which the first that succeeds is taken: TCP and uTP.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "engine/net/byte_stream.h"
#include "engine/net/loop.h"
#include "engine/net/timer.h"

namespace tributary::net {

// Dials the first way; the second too when the first has failed, or has not succeeded within the
// head start. Afterwards it is the one that succeeded: the other is closed, before it was spoken
// on.
class RacingStream final : public ByteStream {
 public:
  // Which was taken, before on_stream_connected().
  using Taken = std::function<void(const ByteStream&)>;

  // Neither way is dialled yet. `taken` may be empty.
  RacingStream(Loop& loop, std::unique_ptr<ByteStream> first, std::unique_ptr<ByteStream> second,
               Duration head_start, Taken taken);

  void dial(const Endpoint& remote) override;
  void start_reading() override { taken_->stream->start_reading(); }
  void stop_reading() override { taken_->stream->stop_reading(); }
  void write(const std::vector<wire::Octets>& parts) override { taken_->stream->write(parts); }
  Bytes write_size() const override { return taken_->stream->write_size(); }
  void close() override;
  Endpoint remote() const override { return remote_; }
  bool is_utp() const override { return taken_ != nullptr && taken_->stream->is_utp(); }

 private:
  struct Way final : StreamOwner {
    RacingStream* race = nullptr;
    std::unique_ptr<ByteStream> stream;
    bool dialled = false;
    bool closing = false;
    bool closed = false;

    void on_stream_connected() override { race->on_connected(*this); }
    std::span<std::uint8_t> stream_space() override { return race->owner().stream_space(); }
    void on_stream_bytes(std::span<std::uint8_t> bytes) override {
      race->owner().on_stream_bytes(bytes);
    }
    void on_stream_written() override { race->owner().on_stream_written(); }
    void on_stream_failed(const std::string& reason) override { race->on_failed(*this, reason); }
    void on_stream_closed() override { race->on_closed(*this); }
    void close();
  };

  void dial(Way& way);
  void on_connected(Way& way);
  void on_failed(Way& way, const std::string& reason);
  void on_closed(Way& way);

  std::array<Way, 2> ways_;
  Duration head_start_;
  Taken on_taken_;
  Loop& loop_;
  std::optional<Timer> timer_;  // while the second may still be dialled
  Endpoint remote_;
  Way* taken_ = nullptr;
  bool closing_ = false;
};

}  // namespace tributary::net
