// Jobs for the thread pool, a bounded number at a time, started in order.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "engine/net/loop.h"

namespace tributary::net {

// Loop thread only. A lane of width 1 needs no locks in what its jobs touch: each happens after the
// one before.
class Lane {
 public:
  struct Job {
    Loop::Task run;   // thread pool
    Loop::Task done;  // loop thread
  };
  // Called on the loop thread when the turn comes, so that it sees the state of that moment;
  // nothing to run is an answer too. May push.
  using Prepare = std::function<std::optional<Job>()>;

  Lane(Loop& loop, int width) : state_(std::make_shared<State>(loop, width)) {}

  void push(Prepare prepare) {
    state_->queue.push_back(std::move(prepare));
    // Not at once: what a job's preparation calls may destroy what the caller is looking at.
    schedule(state_);
  }
  std::size_t waiting() const { return state_->queue.size(); }

 private:
  struct State {
    State(Loop& l, int w) : loop(l), width(w) {}
    Loop& loop;
    const int width;
    int running = 0;
    bool scheduled = false;
    std::deque<Prepare> queue;
  };

  static void schedule(const std::shared_ptr<State>& state) {
    if (std::exchange(state->scheduled, true)) return;
    state->loop.post([weak = std::weak_ptr<State>(state)] {
      if (const auto s = weak.lock()) {
        s->scheduled = false;
        start(s);
      }
    });
  }
  static void start(const std::shared_ptr<State>& state) {
    while (state->running < state->width && !state->queue.empty()) {
      const Prepare prepare = std::move(state->queue.front());
      state->queue.pop_front();
      auto job = prepare();
      if (!job) continue;
      ++state->running;
      state->loop.work(std::move(job->run),
                       [weak = std::weak_ptr<State>(state), done = std::move(job->done)] {
                         const auto s = weak.lock();
                         if (!s) return;
                         --s->running;
                         done();
                         start(s);
                       });
    }
  }

  std::shared_ptr<State> state_;
};

}  // namespace tributary::net
