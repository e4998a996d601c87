// Random access to any file of a torrent in a running client, beside playback and many at a time:
// what a gateway, a C API or a demuxer of one's own reads from. It sees verified bytes only. What
// it waits for is fetched by deadlines, as for playback (core::SetReader): it plays what it reads
// at the media's pace, however fast it takes it. Reading elsewhere is a seek.
//
// Threads: a reader is used by one thread at a time; cancel() may come from any. Readers::open()
// may be called from any thread; Readers is otherwise the loop thread's. Lifetimes: a reader may
// outlive its Readers, whose end fails it with kCancelled.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "player/client/host.h"
#include "player/media/byte_source.h"

namespace tributary::player {

struct ReaderOptions {
  // Nothing at or beyond this offset is wanted; it reads as if the file ended there.
  Bytes end = Bytes(INT64_MAX);
  // It reads at least so fast. Zero: as fast as the media plays, by the torrent's hints or what
  // playback learnt; 1 Mbit/s where nothing is known.
  BitRate rate;
  // It plays something else for so long from its opening on, and only then what it reads first.
  Duration lead{};
  std::vector<Endpoint> peers;  // known to have some of it
  // Called on the loop thread after try_read() found nothing, when it is worth another try; not
  // after the reader is gone. It may not block, nor use or destroy a reader. May be empty.
  std::function<void()> wake;
};

class Reader final : public ByteSource {
 public:
  // Withdraws what was demanded: what was asked of peers and CDN for this reader alone is
  // cancelled.
  ~Reader() override;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Bytes size() const override;  // the end in ReaderOptions, or of the file
  // Fills the front of `out` with what is verified and at hand of the bytes at `offset`, and
  // returns how many; 0 only at or beyond the end. Nothing: they are on their way, and wake() will
  // tell. Errors: kCancelled after cancel(), or when the torrent or the client was closed; kIo.
  // REQUIRES: offset >= 0 and out is not empty.
  Result<std::optional<Bytes>> try_read(Bytes offset, std::span<std::uint8_t> out);
  // The same, but waits until there is something.
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override;

 private:
  friend class Readers;
  class State;
  explicit Reader(std::shared_ptr<State> state);
  const std::shared_ptr<State> state_;
};

// Opens readers of one host's torrents, and knows who reads.
class Readers {
 public:
  // Both must outlive this.
  Readers(net::Loop& loop, Host& host);
  // Readers that are left fail from now on.
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Any thread. The torrent is opened if it is not yet, and offered to others from then on: reads
  // wait for that. REQUIRES: the file is
  // one of the torrent's and no padding.
  std::unique_ptr<Reader> open(std::shared_ptr<const core::Metainfo> metainfo, core::FileIndex file,
                               ReaderOptions options);

 private:
  friend class Reader;
  class Desk;
  const std::shared_ptr<Desk> desk_;
};

}  // namespace tributary::player
