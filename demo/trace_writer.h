// The file of `play --trace`: one JSON line for each scheduling decision.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::demo {

// Pure. Times are milliseconds: `t_ms` since `start`, the others from the decision on; null where
// there is none. A peer is named by its connection, "out:3" or "in:1".
std::string trace_line(const core::Decision& decision, TimePoint start);

// One thread. Buffered: a decision costs no system call.
class TraceWriter {
 public:
  // Errors: kIo.
  static Result<std::unique_ptr<TraceWriter>> open(const std::string& path);

  void write(const core::Decision& decision);
  // Errors: kIo, the first that any write met.
  Result<void> close();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using FilePtr = std::unique_ptr<std::FILE, CloseFile>;
  TraceWriter(std::string path, FilePtr file);

  std::string path_;
  FilePtr file_;
  TimePoint start_ = kNever;  // of the first decision
};

}  // namespace tributary::demo
