#include "player/media/queued_sink.h"

#ifdef TRIBUTARY_HAVE_SDL
#include <SDL.h>

#include <cstring>

#include "player/media/shared_library.h"

// Loaded when sound is first wanted, as FFmpeg is (ffmpeg.h): SDL2 brings the window system along.
#define TRIBUTARY_SDL_FUNCTIONS(X) \
  X(SDL_CloseAudioDevice)          \
  X(SDL_GetError)                  \
  X(SDL_GetNumAudioDevices)        \
  X(SDL_InitSubSystem)             \
  X(SDL_OpenAudioDevice)           \
  X(SDL_PauseAudioDevice)          \
  X(SDL_QuitSubSystem)
#endif

namespace tributary::player {

#ifdef TRIBUTARY_HAVE_SDL
namespace {

namespace sdl {
#define TRIBUTARY_DEFINE(name) decltype(&::name) name = nullptr;
TRIBUTARY_SDL_FUNCTIONS(TRIBUTARY_DEFINE)
#undef TRIBUTARY_DEFINE
}  // namespace sdl

Result<void> find_functions() {
  TRIBUTARY_TRY(library, SharedLibrary::open("libSDL2-2.0.so.0"));
#define TRIBUTARY_FIND(name) \
  if (auto found = library.find(#name, sdl::name); !found) return found;
  TRIBUTARY_SDL_FUNCTIONS(TRIBUTARY_FIND)
#undef TRIBUTARY_FIND
  return {};
}

Result<void> load_sdl() {
  static const Result<void> loaded = find_functions();
  return loaded;
}

// Frames the device asks for at once: 23 ms at 44.1 kHz, SDL's customary middle way between
// wake-ups and delay.
constexpr std::uint16_t kDeviceFrames = 1024;

// SDL counts how often a subsystem was started, so sinks do not disturb each other.
// REQUIRES: load_sdl() succeeded.
class AudioSubsystem {
 public:
  AudioSubsystem() : started_(sdl::SDL_InitSubSystem(SDL_INIT_AUDIO) == 0) {}
  ~AudioSubsystem() {
    if (started_) sdl::SDL_QuitSubSystem(SDL_INIT_AUDIO);
  }
  AudioSubsystem(const AudioSubsystem&) = delete;
  AudioSubsystem& operator=(const AudioSubsystem&) = delete;
  bool started() const { return started_; }

 private:
  const bool started_;
};

class SdlSink final : public QueuedSink {
 public:
  using QueuedSink::QueuedSink;
  ~SdlSink() override { static_cast<void>(SdlSink::close()); }
  Duration latency() const override { return latency_; }

 private:
  Result<AudioFormat> open_output(const AudioFormat& wanted) override;
  void close_output() override {
    if (device_ != 0) sdl::SDL_CloseAudioDevice(device_);
    device_ = 0;
  }
  void advance(TimePoint) override {}  // the device's thread pulls, and notifies
  TimePoint wake_time(Duration) const override { return kNever; }
  static void on_device(void* self, Uint8* out, int size);

  AudioSubsystem subsystem_;
  SDL_AudioDeviceID device_ = 0;
  Duration latency_{};
};

Result<AudioFormat> SdlSink::open_output(const AudioFormat& wanted) {
  AudioFormat format = wanted;
  if (format.channels > 8) {  // SDL's most
    format.channels = 2;
    format.channel_mask = 0;
  }
  SDL_AudioSpec spec{};
  spec.freq = format.rate;
  spec.format = format.sample == SampleKind::kS16 ? AUDIO_S16SYS : AUDIO_F32SYS;
  spec.channels = static_cast<Uint8>(format.channels);
  spec.samples = kDeviceFrames;
  spec.callback = &on_device;
  spec.userdata = this;
  SDL_AudioSpec have{};
  if (subsystem_.started()) device_ = sdl::SDL_OpenAudioDevice(nullptr, 0, &spec, &have, 0);
  if (device_ == 0) {
    return io_error(std::string("cannot open a sound device: ") + sdl::SDL_GetError() +
                    "; use --audio null, or --audio wav:FILE");
  }
  latency_ = format.time_of(have.samples);
  sdl::SDL_PauseAudioDevice(device_, 0);
  return format;
}

void SdlSink::on_device(void* self, Uint8* out, int size) {
  auto& me = *static_cast<SdlSink*>(self);
  const std::lock_guard lock(me.mutex_);
  const auto wanted = static_cast<std::size_t>(size);
  const std::size_t got = me.queue_.is_open() ? me.queue_.pull({out, wanted}, me.clock_.now()) : 0;
  std::memset(out + got, 0, wanted - got);
  me.changed_.notify_all();
}

}  // namespace

Result<std::unique_ptr<AudioSink>> make_sdl_sink(MediaClock& clock) {
  if (auto loaded = load_sdl(); !loaded) return loaded.error();
  return std::unique_ptr<AudioSink>(std::make_unique<SdlSink>(clock));
}

bool sdl_device_present() {
  if (!load_sdl()) return false;
  const AudioSubsystem subsystem;
  return subsystem.started() && sdl::SDL_GetNumAudioDevices(0) > 0;
}

#else

Result<std::unique_ptr<AudioSink>> make_sdl_sink(MediaClock&) {
  return Error{ErrorCode::kUnsupported,
               "this build has no SDL2; install libsdl2-dev and build again, or use --audio null"};
}

bool sdl_device_present() { return false; }

#endif

}  // namespace tributary::player
