// The file of `play --trace`: JSON lines, of each scheduling decision and of all that `replay`
// needs.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace tributary::demo {

// One thread at a time. Buffered: a line costs no system call.
class TraceWriter {
 public:
  // Errors: kIo.
  static Result<std::unique_ptr<TraceWriter>> open(const std::string& path);

  void write(std::string_view line);
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
};

}  // namespace tributary::demo
