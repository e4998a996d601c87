#include "engine/net/loop.h"

#include <uv.h>

#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/clock.h"
#include "engine/net/timer.h"

namespace tributary::net {
namespace {

void ignore_sigpipe() {
  static const bool once = [] {
    struct sigaction current {};
    if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
      current.sa_handler = SIG_IGN;
      sigaction(SIGPIPE, &current, nullptr);
    }
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

struct Loop::State {
  uv_loop_t loop{};
  uv_async_t wakeup{};
  std::mutex mutex;  // guards the two below
  std::vector<Task> posted;
  bool closing = false;

  void run_posted() {
    std::vector<Task> batch;
    {
      const std::lock_guard lock(mutex);
      batch.swap(posted);
    }
    for (Task& task : batch) task();
  }
};

Loop::Loop() : state_(std::make_unique<State>()) {
  ignore_sigpipe();
  TRIBUTARY_CHECK(uv_loop_init(&state_->loop) == 0);
  const int rc = uv_async_init(&state_->loop, &state_->wakeup, [](uv_async_t* handle) {
    static_cast<State*>(handle->data)->run_posted();
  });
  TRIBUTARY_CHECK(rc == 0);
  state_->wakeup.data = state_.get();
}

Loop::~Loop() {
  std::vector<Task> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
    dropped.swap(state_->posted);
    uv_close(reinterpret_cast<uv_handle_t*>(&state_->wakeup), nullptr);
  }
  const auto require_closing = [](uv_handle_t* handle, void*) {
    TRIBUTARY_CHECK(uv_is_closing(handle) != 0);  // its owner outlived the loop
  };
  uv_walk(&state_->loop, require_closing, nullptr);
  uv_run(&state_->loop, UV_RUN_DEFAULT);
  TRIBUTARY_CHECK(uv_loop_close(&state_->loop) == 0);
}

void Loop::run() { uv_run(&state_->loop, UV_RUN_DEFAULT); }

bool Loop::run_until(const std::function<bool()>& done, Duration limit) {
  Timer timer(*this);
  bool expired = false;
  timer.start(now() + limit, [&] { expired = true; });
  while (!done()) {
    if (expired) return false;
    uv_run(&state_->loop, UV_RUN_ONCE);
  }
  return true;
}

void Loop::stop() {
  post([this] { uv_stop(&state_->loop); });
}

void Loop::post(Task task) {
  const std::lock_guard lock(state_->mutex);
  if (state_->closing) return;
  state_->posted.push_back(std::move(task));
  if (state_->posted.size() == 1) uv_async_send(&state_->wakeup);
}

void Loop::work(Task job, Task done) {
  struct Request {
    uv_work_t uv{};
    Task job;
    Task done;
    State* state = nullptr;
  };
  auto* request = new Request{{}, std::move(job), std::move(done), state_.get()};
  request->uv.data = request;
  const auto run = [](uv_work_t* uv) { static_cast<Request*>(uv->data)->job(); };
  const auto after = [](uv_work_t* uv, int) {
    const std::unique_ptr<Request> owned(static_cast<Request*>(uv->data));
    if (!owned->state->closing && owned->done) owned->done();
  };
  TRIBUTARY_CHECK(uv_queue_work(&state_->loop, &request->uv, run, after) == 0);
}

TimePoint Loop::now() const { return read_clock(); }

uv_loop_t* Loop::uv() { return &state_->loop; }

}  // namespace tributary::net
