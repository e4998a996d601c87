#include <cerrno>
#include <cstdio>
#include <cstring>

#include "player/media/queued_sink.h"
#include "player/media/wav_header.h"

namespace tributary::player {
namespace {

// PCM between two updates of the header; what a crash costs at most.
constexpr Duration kHeaderInterval = 1s;

class WavSink final : public QueuedSink {
 public:
  WavSink(std::string path, const WavOptions& options, MediaClock& clock)
      : QueuedSink(clock), path_(std::move(path)), options_(options) {}
  ~WavSink() override { static_cast<void>(WavSink::close()); }

 private:
  Result<AudioFormat> open_output(const AudioFormat& wanted) override;
  void close_output() override;
  void advance(TimePoint now) override;
  void append(std::span<const std::uint8_t> pcm);
  void update_header();
  Error failure(const char* what) const {
    return io_error(std::string(what) + " '" + path_ + "': " + std::strerror(errno) +
                    "; choose another file with --audio wav:FILE");
  }

  const std::string path_;
  const WavOptions options_;
  std::FILE* file_ = nullptr;
  AudioFormat format_;
  Bytes data_;
  Bytes header_covers_;
  std::vector<std::uint8_t> scratch_;
};

Result<AudioFormat> WavSink::open_output(const AudioFormat& wanted) {
  format_ = wanted;
  format_.sample = options_.sample;
  file_ = std::fopen(path_.c_str(), "wbe");
  if (!file_) return failure("cannot create");
  const std::vector<std::uint8_t> header = wav_header(format_, 0_B);
  if (std::fwrite(header.data(), 1, header.size(), file_) != header.size()) {
    return failure("cannot write");
  }
  return format_;
}

void WavSink::advance(TimePoint now) {
  const auto played = [this](std::span<const std::uint8_t> pcm) { append(pcm); };
  if (options_.paced) return queue_.advance(now, played);
  if (!queue_.running()) return;
  scratch_.resize(static_cast<std::size_t>(queue_.queued_frames() * format_.frame_bytes()));
  append(std::span(scratch_).first(queue_.pull(scratch_, now)));
}

void WavSink::append(std::span<const std::uint8_t> pcm) {
  if (!file_ || failed() || pcm.empty()) return;
  if (std::fwrite(pcm.data(), 1, pcm.size(), file_) != pcm.size())
    return fail(failure("cannot write"));
  data_ += Bytes(static_cast<std::int64_t>(pcm.size()));
  const Bytes interval =
      bytes_in(kHeaderInterval, BitRate(std::int64_t{format_.rate} * format_.frame_bytes() * 8));
  if (data_ - header_covers_ >= interval) update_header();
}

void WavSink::update_header() {
  const std::vector<std::uint8_t> header = wav_header(format_, data_);
  header_covers_ = data_;
  const bool ok = std::fflush(file_) == 0 && std::fseek(file_, 0, SEEK_SET) == 0 &&
                  std::fwrite(header.data(), 1, header.size(), file_) == header.size() &&
                  std::fflush(file_) == 0 && std::fseek(file_, 0, SEEK_END) == 0;
  if (!ok) fail(failure("cannot write"));
}

void WavSink::close_output() {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  if (!failed()) {
    if (data_ % 2_B != 0_B) std::fputc(0, file_);  // chunks are padded to even lengths
    update_header();
  }
  if (std::fclose(file_) != 0 && !failed()) fail(failure("cannot write"));
  file_ = nullptr;
}

}  // namespace

std::unique_ptr<AudioSink> make_wav_sink(std::string path, const WavOptions& options,
                                         MediaClock& clock) {
  return std::make_unique<WavSink>(std::move(path), options, clock);
}

}  // namespace tributary::player
