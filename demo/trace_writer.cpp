#include "demo/trace_writer.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace tributary::demo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBuffer = 1 << 20;  // bytes; some thousands of decisions

Json milliseconds(TimePoint at, TimePoint from) {
  if (at == kNever) return nullptr;
  return static_cast<double>((at - from).count()) / 1e3;
}

const char* choice_of(core::Decision::Choice choice) {
  switch (choice) {
    case core::Decision::Choice::kPeer:
      return "peer";
    case core::Decision::Choice::kCdn:
      return "cdn";
    case core::Decision::Choice::kCancel:
      break;
  }
  return "cancel";
}

}  // namespace

std::string connection_name(core::ConnId conn) {
  const bool inbound = (conn.value() & core::kInboundBit.value()) != 0;
  return (inbound ? "in:" : "out:") + std::to_string(conn.value() & ~core::kInboundBit.value());
}

std::string trace_line(const core::Decision& d, TimePoint start) {
  Json candidates = Json::array();
  for (const core::Candidate& c : d.candidates) {
    candidates.push_back(
        {{"peer", connection_name(c.peer)}, {"finish_ms", milliseconds(c.expected_finish, d.at)}});
  }
  Json json = {{"t_ms", milliseconds(d.at, start)},
               {"torrent", d.torrent.value()},
               {"block", d.blocks.begin.value()},
               {"blocks", d.blocks.size()},
               {"deadline_ms", milliseconds(d.deadline, d.at)},
               {"cdn_last_safe_ms", milliseconds(d.cdn_last_safe, d.at)},
               {"candidates", std::move(candidates)},
               {"choice", choice_of(d.choice)}};
  const bool cdn = d.choice == core::Decision::Choice::kCdn;
  json["peer"] = cdn ? Json() : Json(connection_name(d.peer));
  json["reason"] = cdn ? Json(core::to_string(d.reason)) : Json();
  json["why"] = d.why;
  return json.dump();
}

TraceWriter::TraceWriter(std::string path, FilePtr file)
    : path_(std::move(path)), file_(std::move(file)) {
  std::setvbuf(file_.get(), nullptr, _IOFBF, kBuffer);
}

Result<std::unique_ptr<TraceWriter>> TraceWriter::open(const std::string& path) {
  FilePtr file(std::fopen(path.c_str(), "we"));
  if (!file) return io_error("cannot write '" + path + "': " + std::strerror(errno));
  return std::unique_ptr<TraceWriter>(new TraceWriter(path, std::move(file)));
}

void TraceWriter::write(const std::string& line) {
  const std::lock_guard lock(mutex_);
  std::fprintf(file_.get(), "%s\n", line.c_str());
}

Result<void> TraceWriter::close() {
  const bool failed = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) == 0 && !failed) return {};
  return io_error("cannot write '" + path_ + "': " + std::strerror(errno));
}

}  // namespace tributary::demo
