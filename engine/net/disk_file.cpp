#include "engine/net/disk_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tributary::net {
namespace {

std::string reason() { return std::generic_category().message(errno); }

Error failed_to(const char* what, const std::string& path) {
  const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return Error{code, std::string("cannot ") + what + " " + path + ": " + reason()};
}

bool write_whole(const std::string& path, std::span<const std::uint8_t> content) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return false;
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  return std::fclose(file) == 0 && written;
}

bool is_regular(int fd) {
  struct stat s {};
  return ::fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

std::int64_t modified_ns(const struct stat& s) {
#ifdef __APPLE__
  return std::int64_t{s.st_mtimespec.tv_sec} * 1'000'000'000 + s.st_mtimespec.tv_nsec;
#else
  return std::int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec;
#endif
}

}  // namespace

DiskFile::DiskFile(DiskFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DiskFile& DiskFile::operator=(DiskFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DiskFile::~DiskFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<DiskFile> DiskFile::open_read(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed_to("open", path);
  DiskFile file(fd);
  if (!is_regular(fd)) return io_error("cannot read " + path + ": not a regular file");
  return file;
}

Result<DiskFile> DiskFile::open_write(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
  if (fd < 0) return failed_to("open", path);
  DiskFile file(fd);
  if (!is_regular(fd)) return io_error("cannot write " + path + ": not a regular file");
  return file;
}

Result<DiskFile> DiskFile::anonymous(const std::string& directory) {
#ifdef O_TMPFILE
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return DiskFile(fd);
#endif
  // Not every file system has O_TMPFILE.
  std::string path = directory + "/tributary-XXXXXX";
  const int named = ::mkstemp(path.data());
  if (named < 0) return failed_to("create a temporary file in", directory);
  ::unlink(path.c_str());
  ::fcntl(named, F_SETFD, FD_CLOEXEC);
  return DiskFile(named);
}

Result<void> DiskFile::read(Bytes offset, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd_, out.data(), out.size(), offset.count());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read failed: " + reason());
    if (n == 0) return Error{ErrorCode::kNotFound, "the file ends before the bytes asked for"};
    out = out.subspan(static_cast<std::size_t>(n));
    offset += Bytes(n);
  }
  return {};
}

bool DiskFile::read_cached(Bytes offset, std::span<std::uint8_t> out) const {
#ifdef RWF_NOWAIT
  const iovec whole{out.data(), out.size()};
  return ::preadv2(fd_, &whole, 1, offset.count(), RWF_NOWAIT) == std::ssize(out);
#else
  static_cast<void>(offset);
  return out.empty();
#endif
}

Result<void> DiskFile::write(Bytes offset, std::span<const std::uint8_t> data) const {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd_, data.data(), data.size(), offset.count());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return io_error("write failed: " + reason());
    data = data.subspan(static_cast<std::size_t>(n));
    offset += Bytes(n);
  }
  return {};
}

Result<DiskFile::Stamp> DiskFile::stamp() const {
  struct stat s {};
  if (::fstat(fd_, &s) != 0) return io_error("cannot stat a file: " + reason());
  return Stamp{Bytes(s.st_size), modified_ns(s), static_cast<std::uint64_t>(s.st_ino)};
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  TRIBUTARY_TRY(file, DiskFile::open_write(directory + "/lock"));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  // An open-file-description lock also keeps two stores of one process apart, and is not lost when
  // the process closes another descriptor of the file.
#ifdef F_OFD_SETLK
  const int rc = ::fcntl(file.fd_, F_OFD_SETLK, &lock);
#else
  const int rc = ::fcntl(file.fd_, F_SETLK, &lock);
#endif
  if (rc == 0) return DirectoryLock(std::move(file));
  if (errno != EAGAIN && errno != EACCES)
    return io_error("cannot lock " + directory + ": " + reason());
  return Error{ErrorCode::kLimit,
               "cache " + directory + " is in use by another process; choose another --cache"};
}

bool written_through(const std::string& path) {
  std::error_code ignored;
  const auto type = std::filesystem::symlink_status(path, ignored).type();
  return type != std::filesystem::file_type::regular &&
         type != std::filesystem::file_type::not_found;
}

Result<void> replace_file(const std::string& path, std::span<const std::uint8_t> content) {
  const bool in_place = written_through(path);
  const std::string target = in_place ? path : path + ".part";
  if (write_whole(target, content) &&
      (in_place || std::rename(target.c_str(), path.c_str()) == 0)) {
    return {};
  }
  const Error error = failed_to("write", path);
  if (!in_place) std::remove(target.c_str());
  return error;
}

Result<void> make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return io_error("cannot create " + path + ": " + error.message());
  return {};
}

Bytes free_space(const std::string& path) {
  std::error_code error;
  const auto space = std::filesystem::space(path, error);
  if (error) return 0_B;
  return Bytes(static_cast<std::int64_t>(
      std::min<std::uintmax_t>(space.available, static_cast<std::uintmax_t>(INT64_MAX))));
}

}  // namespace tributary::net
