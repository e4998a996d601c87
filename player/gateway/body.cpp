#include "player/gateway/body.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace tributary::player {
namespace {

// One read of a playlist.
constexpr std::size_t kPlaylistStep = 64 * 1024;

// Tracks: what was read of the playlist, then what of its new text is not sent yet.
class HlsText {
 public:
  HlsText(std::unique_ptr<Reader> reader, const ShelfTorrent& torrent, std::string path,
          GatewayBase base, std::function<void(const std::vector<HlsSegment>&)> noted)
      : reader_(std::move(reader)),
        torrent_(torrent),
        path_(std::move(path)),
        base_(std::move(base)),
        noted_(std::move(noted)) {}

  std::int64_t read(std::span<std::uint8_t> out) {
    if (!whole_) {
      const std::int64_t state = gather();
      if (state != net::BodyStream::kEnd) return state;
      RewrittenPlaylist playlist = rewrite_playlist(text_, torrent_, path_, base_);
      noted_(playlist.segments);
      text_ = std::move(playlist.text);
      whole_ = true;
    }
    const std::size_t size = std::min(out.size(), text_.size() - sent_);
    if (size == 0) return net::BodyStream::kEnd;
    std::memcpy(out.data(), text_.data() + sent_, size);
    sent_ += size;
    return static_cast<std::int64_t>(size);
  }

 private:
  // kEnd once all is there.
  std::int64_t gather() {
    std::vector<std::uint8_t> step(kPlaylistStep);
    for (;;) {
      const auto got = reader_->try_read(Bytes(std::ssize(text_)), step);
      if (!got) return net::BodyStream::kAbort;
      if (!*got) return net::BodyStream::kWait;
      if (**got == 0_B) return net::BodyStream::kEnd;
      text_.append(step.begin(), step.begin() + (*got)->count());
    }
  }

  const std::unique_ptr<Reader> reader_;
  const ShelfTorrent& torrent_;
  const std::string path_;
  const GatewayBase base_;
  const std::function<void(const std::vector<HlsSegment>&)> noted_;
  std::string text_;
  std::size_t sent_ = 0;
  bool whole_ = false;
};

}  // namespace

net::BodyStream file_body(std::unique_ptr<Reader> reader, ByteRange range,
                          std::function<void(Bytes)> sent) {
  net::BodyStream body;
  body.length = range.size();
  body.read = [reader = std::shared_ptr<Reader>(std::move(reader)), range,
               sent = std::move(sent)](std::span<std::uint8_t> out) mutable -> std::int64_t {
    if (range.empty()) return net::BodyStream::kEnd;
    const auto got = reader->try_read(range.begin, out);
    if (!got) return net::BodyStream::kAbort;
    if (!*got) return net::BodyStream::kWait;
    range.begin += **got;
    sent(**got);
    return (*got)->count();
  };
  return body;
}

net::BodyStream hls_body(std::unique_ptr<Reader> reader, const ShelfTorrent& torrent,
                         std::string path, GatewayBase base,
                         std::function<void(const std::vector<HlsSegment>&)> noted) {
  const auto text = std::make_shared<HlsText>(std::move(reader), torrent, std::move(path),
                                              std::move(base), std::move(noted));
  net::BodyStream body;
  body.read = [text](std::span<std::uint8_t> out) { return text->read(out); };
  return body;
}

}  // namespace tributary::player
