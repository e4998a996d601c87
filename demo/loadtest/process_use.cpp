#include "demo/loadtest/process_use.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

namespace tributary::demo {
namespace {

Duration time_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Duration processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return time_of(usage.ru_utime) + time_of(usage.ru_stime);
}

Bytes resident_memory() {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen("/proc/self/statm", "re"));
  long long all = 0;
  long long resident = 0;
  if (!file || std::fscanf(file.get(), "%lld %lld", &all, &resident) != 2) return {};
  return Bytes(resident * ::sysconf(_SC_PAGESIZE));
}

Result<void> allow_open_files(std::int64_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto wanted = static_cast<rlim_t>(count);
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted) {
    return Error{ErrorCode::kLimit,
                 "so many nodes may open " + std::to_string(count) + " files and sockets, and " +
                     std::to_string(limit.rlim_max) + " are allowed; raise it with `ulimit -n " +
                     std::to_string(count) + "` as root, or give fewer --nodes"};
  }
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return Error{ErrorCode::kLimit, "cannot raise the limit of open files to " +
                                      std::to_string(count) + "; give fewer --nodes"};
}

void UseMeter::look(TimePoint now, std::int32_t nodes) {
  online_ += (now - last_) * nodes;
  last_ = now;
  if (nodes < most_ || nodes == 0) return;
  const Bytes more = std::max(resident_memory() - memory_, Bytes());
  most_memory_ = nodes > most_ ? more : std::max(most_memory_, more);
  most_ = nodes;
}

sim::MachineUse UseMeter::use() const {
  sim::MachineUse use;
  use.processor = processor_time() - processor_;
  use.online = online_;
  use.memory = most_ == 0 ? Bytes() : most_memory_ / most_;
  return use;
}

}  // namespace tributary::demo
