#include "engine/net/timer.h"

#include <uv.h>

#include <utility>

#include "engine/base/check.h"

namespace tributary::net {

struct Timer::State {
  uv_timer_t uv{};
  Loop::Task callback;
};

Timer::Timer(Loop& loop) : state_(new State) {
  TRIBUTARY_CHECK(uv_timer_init(loop.uv(), &state_->uv) == 0);
  state_->uv.data = state_;
}

Timer::~Timer() {
  state_->callback = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->uv),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

// libuv's loop time is the same clock cut to milliseconds. Rounding the absolute time up, instead
// of the time that remains, keeps the timer from firing early.
void Timer::start(TimePoint at, Loop::Task callback) {
  if (at == kNever) return stop();
  state_->callback = std::move(callback);
  uv_update_time(state_->uv.loop);
  const auto target = std::chrono::ceil<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const auto now = static_cast<std::int64_t>(uv_now(state_->uv.loop));
  const auto delay = static_cast<std::uint64_t>(target > now ? target - now : 0);
  const auto fire = [](uv_timer_t* uv) {
    // Moved out, so that the callback may set the timer again or destroy it.
    const Loop::Task task = std::exchange(static_cast<State*>(uv->data)->callback, nullptr);
    if (task) task();
  };
  TRIBUTARY_CHECK(uv_timer_start(&state_->uv, fire, delay, 0) == 0);
}

void Timer::stop() {
  uv_timer_stop(&state_->uv);
  state_->callback = nullptr;
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->uv)) != 0;
}

}  // namespace tributary::net
