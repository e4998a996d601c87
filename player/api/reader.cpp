// tributary_reader_*: random access to one track, beside playback.
#include "player/client/reader.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "player/api/calls.h"

using namespace tributary;        // NOLINT: the exported functions belong to no namespace
using namespace tributary::capi;  // NOLINT

namespace {

// Waits in the order of the calls, one after the other.
class ReaderObject final : public Object {
 public:
  explicit ReaderObject(std::unique_ptr<player::Reader> reader) : reader_(std::move(reader)) {}
  void interrupt() override { reader_->cancel(); }
  Bytes size() const { return reader_->size(); }

  // Negative for an error; AGAIN where nothing is at hand and the call is not to wait.
  std::int64_t read(Bytes offset, std::span<std::uint8_t> out, bool waits) {
    const std::lock_guard lock(mutex_);
    if (waits) {
      const auto read = reader_->read(offset, out);
      return read ? read->count() : fail(read.error());
    }
    const auto read = reader_->try_read(offset, out);
    if (!read) return fail(read.error());
    if (*read) return (*read)->count();
    return fail(TRIBUTARY_E_AGAIN, "the bytes are on their way");
  }

 private:
  std::mutex mutex_;
  const std::unique_ptr<player::Reader> reader_;
};

std::int64_t read(const tributary_reader* handle, std::int64_t offset, void* buffer,
                  std::size_t size, bool waits) {
  std::int64_t count = 0;
  const int result = with<ReaderObject>(handle, "reader", [&](ReaderObject& reader) -> int {
    if (offset < 0) return fail(TRIBUTARY_E_INVALID, "offset is " + std::to_string(offset));
    if (!buffer && size > 0) return fail(TRIBUTARY_E_INVALID, "buffer is NULL");
    if (size == 0 || Bytes(offset) >= reader.size()) return TRIBUTARY_OK;
    count = reader.read(Bytes(offset), {static_cast<std::uint8_t*>(buffer), size}, waits);
    return static_cast<int>(std::min<std::int64_t>(count, 0));
  });
  return result < 0 ? result : count;
}

// The name that a reader's events carry, which it is given after it was opened.
using Name = std::atomic<tributary_reader*>;

}  // namespace

extern "C" {

int tributary_reader_open(tributary_client* client, size_t track, tributary_reader** reader) {
  return with_track(client, track, [&](ClientObject& object) -> int {
    const int cleared = clear<tributary_reader*>(reader, nullptr, "reader");
    if (cleared < 0) return cleared;
    if (object.finished()) return fail(TRIBUTARY_E_STATE, "the client is finished");
    const auto name = std::make_shared<Name>(nullptr);
    const player::PlaylistItem& item = object.items()[track];
    player::ReaderOptions options;
    options.peers = item.peers;
    options.wake = [&events = object.events(), name, track] {
      events.push({.type = TRIBUTARY_EVENT_READABLE, .track = track, .reader = name->load()});
    };
    *reader = give_out<tributary_reader>(std::make_shared<ReaderObject>(
        object.player().open_reader(item.metainfo, item.file, std::move(options))));
    *name = *reader;
    return TRIBUTARY_OK;
  });
}

int tributary_reader_close(tributary_reader* reader) {
  return free_handle<ReaderObject>(reader, "reader");
}

int tributary_reader_cancel(tributary_reader* reader) {
  return with<ReaderObject>(reader, "reader", [](ReaderObject& object) -> int {
    object.interrupt();
    return TRIBUTARY_OK;
  });
}

int64_t tributary_reader_length(tributary_reader* reader) {
  std::int64_t length = 0;
  const int result = with<ReaderObject>(reader, "reader", [&](ReaderObject& object) -> int {
    length = object.size().count();
    return TRIBUTARY_OK;
  });
  return result < 0 ? result : length;
}

int64_t tributary_reader_read(tributary_reader* reader, int64_t offset, void* buffer, size_t size) {
  return read(reader, offset, buffer, size, true);
}

int64_t tributary_reader_try_read(tributary_reader* reader, int64_t offset, void* buffer,
                                  size_t size) {
  return read(reader, offset, buffer, size, false);
}
}
