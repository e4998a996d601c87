// Plain files: bounded pread and pwrite, and the lock of a cache directory. Never mmap, so that an
// I/O error is a return value and memory stays what the store decides. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::net {

// An open regular file; closed with the object. Concurrent reads and writes are allowed.
class DiskFile {
 public:
  DiskFile() = default;
  DiskFile(DiskFile&& other) noexcept;
  DiskFile& operator=(DiskFile&& other) noexcept;
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;
  ~DiskFile();

  // Fails for what is not a regular file (a FIFO would block).
  static Result<DiskFile> open_read(const std::string& path);
  static Result<DiskFile> open_write(const std::string& path);  // created when absent
  // A file without a name in `directory`: it is gone when closed, also by kill -9.
  static Result<DiskFile> anonymous(const std::string& directory);

  bool is_open() const { return fd_ >= 0; }
  // All of `out` or an error; a file that ends within it is an error (kNotFound).
  Result<void> read(Bytes offset, std::span<std::uint8_t> out) const;
  // All of `out`, when the system has it in memory; never waits for the disk. False otherwise, and
  // always where the system cannot tell (only Linux can: RWF_NOWAIT).
  bool read_cached(Bytes offset, std::span<std::uint8_t> out) const;
  Result<void> write(Bytes offset, std::span<const std::uint8_t> data) const;

  struct Stamp {
    Bytes size;
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  // What changes when someone else writes the file.
  Result<Stamp> stamp() const;

 private:
  explicit DiskFile(int fd) : fd_(fd) {}
  friend class DirectoryLock;
  int fd_ = -1;
};

// Holds DIR/lock for as long as it lives; the kernel frees it when the process dies.
class DirectoryLock {
 public:
  // kLimit: another process (or another object in this one) holds it.
  static Result<DirectoryLock> take(const std::string& directory);

 private:
  explicit DirectoryLock(DiskFile file) : file_(std::move(file)) {}
  DiskFile file_;
};

// Whether replace_file() writes to what is there (a pipe, a terminal, a link) instead of putting a
// new file in its place.
bool written_through(const std::string& path);
// Writes a whole file: who reads it meanwhile, or after the process dies, sees the old content or
// the new, unless it is written through.
Result<void> replace_file(const std::string& path, std::span<const std::uint8_t> content);
// Creates the directory and its parents.
Result<void> make_directories(const std::string& path);
// The space an ordinary user may still fill; zero when it cannot be told.
Bytes free_space(const std::string& path);

}  // namespace tributary::net
