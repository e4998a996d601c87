#include "demo/loadtest/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "demo/loadtest/huge_pages.h"

namespace tributary::demo {
namespace {

constexpr Duration kStep = 1s;  // of virtual time, between two looks at `stop`
constexpr auto kLook = std::chrono::milliseconds(100);

// What the threads share. Tracks: which policy is next, how far all are, who is still at work.
struct Board {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t next = 0;
  std::size_t working = 0;
  std::atomic<std::int64_t> done_us{0};
};

// Not movable: the plan is what all worlds read.
class Crew {
 public:
  Crew(const LoadRun& run, const std::atomic<bool>& stop)
      : run_(run), stop_(stop), plan_(plan_of(run)), reports_(run.policies.size()) {
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t count = std::min(cores, run.policies.size());
    board_.working = count;  // and fewer as soon as the first thread is through
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Crew() {
    for (std::thread& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void watch(const LoadProgress& progress) {
    const Duration total = plan_.length * static_cast<std::int64_t>(run_.policies.size());
    std::unique_lock lock(board_.mutex);
    while (!board_.changed.wait_for(lock, kLook, [this] { return board_.working == 0; })) {
      pages_.look();
      progress(Duration(board_.done_us.load()), total);
    }
  }
  std::vector<sim::LoadReport> take() {
    std::vector<sim::LoadReport> all;
    for (auto& report : reports_) {
      if (!report) return {};
      all.push_back(*std::move(report));
    }
    return all;
  }

 private:
  void work() {
    while (const auto index = next()) run(*index);
    const std::lock_guard lock(board_.mutex);
    --board_.working;
    board_.changed.notify_all();
  }
  std::optional<std::size_t> next() {
    const std::lock_guard lock(board_.mutex);
    if (board_.next == run_.policies.size()) return std::nullopt;
    return board_.next++;
  }
  void run(std::size_t index) {
    sim::LoadTest test(plan_, run_.scenario.setup, run_.policies[index], run_.seed);
    const TimePoint end(plan_.length);
    while (test.now() < end) {
      if (stop_) return;
      const TimePoint from = test.now();
      test.run_until(std::min(end, from + kStep));
      board_.done_us += (test.now() - from).count();
    }
    reports_[index] = test.report();
  }

  const LoadRun& run_;
  const std::atomic<bool>& stop_;
  sim::LoadPlan plan_;
  std::vector<std::optional<sim::LoadReport>> reports_;
  Board board_;
  HugePages pages_;  // before the threads
  std::vector<std::thread> threads_;
};

}  // namespace

sim::LoadPlan plan_of(const LoadRun& run) {
  const sim::Workload& workload = run.scenario.workload;
  return run.scenario.trace ? sim::make_plan(workload, *run.scenario.trace, run.seed)
                            : sim::make_plan(workload, run.seed);
}

std::vector<sim::LoadReport> run_load(const LoadRun& run, const LoadProgress& progress,
                                      const std::atomic<bool>& stop) {
  Crew crew(run, stop);
  crew.watch(progress);
  return crew.take();
}

}  // namespace tributary::demo
