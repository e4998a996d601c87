#include "demo/trace_writer.h"

#include <doctest/doctest.h>

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

TEST_CASE("a trace that cannot be written is an error that names the file") {
  const auto trace = TraceWriter::open("/nonexistent/trace.jsonl");
  REQUIRE(!trace);
  CHECK(trace.error().message.find("/nonexistent/trace.jsonl") != std::string::npos);
}
