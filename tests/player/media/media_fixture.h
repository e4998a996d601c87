// Media files made with the ffmpeg command line, and what it decodes them to.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "player/media/byte_source.h"
#include "player/media/track_reader.h"

namespace tributary::player {

// A folder that goes away with the process.
const std::string& temp_dir();

// Runs a shell command; REQUIREs that it succeeds.
void run_command(const std::string& command);

std::vector<std::uint8_t> read_all(const std::string& path);
void write_all(const std::string& path, const std::vector<std::uint8_t>& bytes);

// The file `name` in temp_dir(), made by `ffmpeg ARGUMENTS name` unless it is there already.
std::string make_media(const std::string& name, const std::string& arguments);

// ffmpeg's own decode of a file, as raw PCM of the format ("s16le" or "f32le").
std::vector<std::uint8_t> ffmpeg_pcm(const std::string& path, const std::string& format = "s16le",
                                     const std::string& more = "");

// The usual test files: 7 s of changing tones and noise in stereo unless the name says otherwise.
struct MediaCase {
  std::string name;
  std::string arguments;
  std::int64_t
      tolerance;  // greatest sample difference allowed after a seek; -1: place only by time
};
const std::vector<MediaCase>& media_cases();

// A file in memory that counts which 16 KiB blocks were touched.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  Bytes size() const override { return Bytes(static_cast<std::int64_t>(bytes_.size())); }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override { cancelled_ = true; }
  const std::set<std::int64_t>& blocks() const { return blocks_; }
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  const std::vector<std::uint8_t> bytes_;
  std::set<std::int64_t> blocks_;
  std::int64_t bytes_read_ = 0;
  std::atomic<bool> cancelled_ = false;
};

// All PCM of a reader.
std::vector<std::uint8_t> read_pcm(TrackReader& reader);
// The same for a file, in 16 bit at its own rate.
std::vector<std::uint8_t> decode_s16(const std::string& path, const TrackReader::Options& options);

}  // namespace tributary::player
