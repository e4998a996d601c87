// Where media bytes come from: a blocking random-access reader.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::player {

// One file, read by one thread at a time; cancel() may come from any thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // The file's length; known from the start and constant.
  virtual Bytes size() const = 0;

  // Fills the front of `out` with the bytes at `offset` and returns how many, at least one; 0 only
  // at or beyond the end. Blocks until one byte is there. Errors: kIo; kCancelled after cancel().
  // REQUIRES: offset >= 0 and out is not empty.
  virtual Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) = 0;

  // Makes a pending read and all later ones fail with kCancelled, at once. Any thread; idempotent.
  virtual void cancel() = 0;
};

// What a reader is at, for other threads to look at.
struct ReadProgress {
  std::atomic<std::int64_t> offset_bytes = 0;  // where the latest read began
  std::atomic<std::int64_t> read_bytes = 0;    // handed out so far
  std::atomic<bool> waiting = false;           // a read is pending
};

// Records the reads of another source, which it shares.
class TrackedSource final : public ByteSource {
 public:
  explicit TrackedSource(std::shared_ptr<ByteSource> inner) : inner_(std::move(inner)) {}

  Bytes size() const override { return inner_->size(); }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override { inner_->cancel(); }
  const ReadProgress& progress() const { return progress_; }

 private:
  const std::shared_ptr<ByteSource> inner_;
  ReadProgress progress_;
};

// A local file.
class FileSource final : public ByteSource {
 public:
  // Errors: kNotFound, kIo, and kInvalid for what is no regular file.
  static Result<std::unique_ptr<FileSource>> open(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Bytes size() const override { return size_; }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override { cancelled_ = true; }

 private:
  FileSource(int fd, Bytes size) : fd_(fd), size_(size) {}

  const int fd_;
  const Bytes size_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace tributary::player
