#include "demo/trace_writer.h"

#include <cerrno>
#include <cstring>

namespace tributary::demo {
namespace {

constexpr std::size_t kBuffer = 1 << 20;  // bytes; some thousands of decisions

}  // namespace

TraceWriter::TraceWriter(std::string path, FilePtr file)
    : path_(std::move(path)), file_(std::move(file)) {
  std::setvbuf(file_.get(), nullptr, _IOFBF, kBuffer);
}

Result<std::unique_ptr<TraceWriter>> TraceWriter::open(const std::string& path) {
  FilePtr file(std::fopen(path.c_str(), "we"));
  if (!file) return io_error("cannot write '" + path + "': " + std::strerror(errno));
  return std::unique_ptr<TraceWriter>(new TraceWriter(path, std::move(file)));
}

void TraceWriter::write(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), file_.get());
  std::fputc('\n', file_.get());
}

Result<void> TraceWriter::close() {
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) == 0 && !failed) return {};
  return io_error("cannot write '" + path_ + "': " + std::strerror(errno));
}

}  // namespace tributary::demo
