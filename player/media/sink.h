// Where PCM goes to be heard: a sound device, a WAV file, or nowhere, at the pace of real time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "player/media/audio_format.h"
#include "player/media/media_clock.h"
#include "player/media/play_queue.h"

namespace tributary::player {

struct SinkStatus {
  std::int64_t heard_frames = 0;    // the sink's clock: frames that were played since open()
  std::int64_t written_frames = 0;  // heard and queued; a flush lowers it to heard_frames
  bool playing = false;             // the playhead moves
  std::optional<Underrun> dry;      // no data now, while it should play
  std::vector<Underrun> underruns;  // finished since the last status(); oldest first
};

// open(), write(), drain() and close() belong to one thread at a time, the writer's; all else may
// be called from any thread at any time.
class AudioSink {
 public:
  virtual ~AudioSink() = default;

  // Starts a run of PCM; once. `wanted` is what the first track holds; the result is what write()
  // takes from now on, for all tracks. Errors: kIo, with how to mend it.
  virtual Result<AudioFormat> open(const AudioFormat& wanted, const QueueOptions& options) = 0;
  // Queues whole frames; blocks while the queue is full. Errors: kCancelled after interrupt(), kIo.
  virtual Result<void> write(std::span<const std::uint8_t> pcm) = 0;
  // Nothing more comes for now: blocks until all is heard. Errors as for write().
  virtual Result<void> drain() = 0;
  // Ends the run and completes files. Idempotent; the destructor does it too.
  virtual Result<void> close() = 0;

  virtual void pause() = 0;
  virtual void resume() = 0;
  // Makes a pending write() or drain() and later ones fail with kCancelled, until flush().
  virtual void interrupt() = 0;
  // Drops what is queued and lets writes through again. The time until the next write is no
  // underrun.
  virtual void flush() = 0;
  virtual SinkStatus status() = 0;
  // Between leaving the queue and the ear.
  virtual Duration latency() const = 0;
};

// Plays into the void.
std::unique_ptr<AudioSink> make_null_sink(MediaClock& clock);

struct WavOptions {
  SampleKind sample = SampleKind::kS16;  // as `ffmpeg -i X out.wav` does, whatever the source
  bool paced = true;                     // at the pace of real time; else as fast as it goes
};
// A RIFF WAVE file of what is heard, RF64 (EBU Tech 3306) beyond 4 GiB. Its header is brought up to
// date every second, so the file is whole after a crash too. Replaces what `path` held.
std::unique_ptr<AudioSink> make_wav_sink(std::string path, const WavOptions& options,
                                         MediaClock& clock);

// A sound device through SDL2. Errors: kUnsupported in a build without it.
Result<std::unique_ptr<AudioSink>> make_sdl_sink(MediaClock& clock);
// Whether this build has SDL2 and a device is there to play on.
bool sdl_device_present();

// "sdl", "null" or "wav:FILE"; "wav-fast:FILE" is not paced. Errors: kInvalid, kUnsupported.
// The clock must outlive the sink, for all of these.
Result<std::unique_ptr<AudioSink>> make_sink(std::string_view spec, MediaClock& clock);

}  // namespace tributary::player
