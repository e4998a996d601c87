#include "player/media/avio_source.h"

#include <algorithm>

#include "engine/base/check.h"
#include "player/media/ffmpeg.h"

namespace tributary::player {

AvioSource::AvioSource(ByteSource& source, Bytes base) : source_(source), base_(base) {
  auto* buffer = static_cast<unsigned char*>(ff::av_malloc(kBufferBytes));
  TRIBUTARY_CHECK(buffer != nullptr);
  context_ = ff::avio_alloc_context(buffer, kBufferBytes, 0, this, &on_read, nullptr, &on_seek);
  TRIBUTARY_CHECK(context_ != nullptr);
}

// FFmpeg may have replaced the buffer; the context knows the current one.
AvioSource::~AvioSource() { AvDelete()(context_); }

void AvioSource::set_seekable(bool on) { context_->seekable = on ? AVIO_SEEKABLE_NORMAL : 0; }

int AvioSource::on_read(void* self, std::uint8_t* out, int size) {
  auto& me = *static_cast<AvioSource*>(self);
  if (me.error_) return me.error_->code == ErrorCode::kCancelled ? AVERROR_EXIT : AVERROR(EIO);
  const Bytes at = me.base_ + me.position_;
  if (size <= 0 || at >= me.source_.size()) return AVERROR_EOF;
  // Up to the end of a block only: the next one may be far from here in time.
  const std::int64_t in_block = kBufferBytes - at.count() % kBufferBytes;
  const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(size, in_block));
  Result<Bytes> got = me.source_.read(at, {out, wanted});
  if (!got) {
    me.error_ = got.error();
    return got.error().code == ErrorCode::kCancelled ? AVERROR_EXIT : AVERROR(EIO);
  }
  if (*got <= 0_B) return AVERROR_EOF;
  me.position_ += *got;
  return static_cast<int>(got->count());
}

std::int64_t AvioSource::on_seek(void* self, std::int64_t offset, int whence) {
  auto& me = *static_cast<AvioSource*>(self);
  const std::int64_t size = (me.source_.size() - me.base_).count();
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return size;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += me.position_.count();
      break;
    case SEEK_END:
      offset += size;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  me.position_ = Bytes(offset);
  return offset;
}

}  // namespace tributary::player
