#include "player/media/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tributary::player {

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int code = errno;
    return Error{code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                 "cannot open '" + path + "': " + std::strerror(code)};
  }
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return invalid("'" + path + "' is not a regular file; name a media file");
  }
  return std::unique_ptr<FileSource>(new FileSource(fd, Bytes(info.st_size)));
}

FileSource::~FileSource() { ::close(fd_); }

Result<Bytes> FileSource::read(Bytes offset, std::span<std::uint8_t> out) {
  for (;;) {
    if (cancelled_) return Error{ErrorCode::kCancelled, "reading was cancelled"};
    const ssize_t got = ::pread(fd_, out.data(), out.size(), offset.count());
    if (got >= 0) return Bytes(got);
    if (errno != EINTR) return io_error(std::string("cannot read: ") + std::strerror(errno));
  }
}

Result<Bytes> TrackedSource::read(Bytes offset, std::span<std::uint8_t> out) {
  progress_.offset_bytes = offset.count();
  progress_.waiting = true;
  Result<Bytes> got = inner_->read(offset, out);
  progress_.waiting = false;
  if (got) progress_.read_bytes += got->count();
  return got;
}

}  // namespace tributary::player
