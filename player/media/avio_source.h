// FFmpeg's byte reader over a ByteSource.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/result.h"
#include "player/media/byte_source.h"

struct AVIOContext;

namespace tributary::player {

// One thread at a time. Holds the source by reference: it must outlive this.
class AvioSource {
 public:
  // A block of the wire protocol: less would need more reads for the same blocks, more would ask
  // for blocks that the first frame does not need.
  static constexpr int kBufferBytes = 16 * 1024;

  // Presents the file from `base` on, as if nothing stood before it.
  AvioSource(ByteSource& source, Bytes base);
  ~AvioSource();
  AvioSource(const AvioSource&) = delete;
  AvioSource& operator=(const AvioSource&) = delete;

  // Owned by this object.
  AVIOContext* context() { return context_; }
  Bytes base() const { return base_; }

  // Whether FFmpeg may jump. Off, it makes no detour to the file's tail; on, it can seek.
  void set_seekable(bool on);

  // The error by which a read of the source failed, if one did. Sticky.
  const std::optional<Error>& error() const { return error_; }

 private:
  static int on_read(void* self, std::uint8_t* out, int size);
  static std::int64_t on_seek(void* self, std::int64_t offset, int whence);

  ByteSource& source_;
  const Bytes base_;
  AVIOContext* context_ = nullptr;
  Bytes position_;  // from base_
  std::optional<Error> error_;
};

}  // namespace tributary::player
