// tributary origin: the embedded CDN server.
#include "cdn/http/origin.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/server_session.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "origin";
constexpr std::uint16_t kPort = 8080;

struct OriginArguments {
  std::string directory;
  Endpoint listen = Endpoint::v4(127, 0, 0, 1, kPort);
  BitRate rate;  // zero: unlimited
  bool verbose = false;
};

std::string describe(const cdn::OriginCounters& counters) {
  std::string line =
      human_count(counters.requests, "request") + ", " + human_bytes(counters.body_sent) + " sent";
  for (const auto& [status, count] : counters.by_status) {
    line += ", " + std::to_string(count) + " × " + std::to_string(status);
  }
  return line;
}

int serve(const OriginArguments& arguments) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(arguments.directory, ignored)) {
    return fail(kName, {ErrorCode::kNotFound,
                        "'" + arguments.directory + "' is no folder; give the one with the files"});
  }
  ServerSession session(arguments.verbose);
  cdn::OriginOptions options;
  options.total_rate = arguments.rate;
  auto origin = cdn::Origin::serve(session.loop(), arguments.directory, arguments.listen, options);
  if (!origin) return fail(kName, {ErrorCode::kIo, origin.error().message});
  ServerSession::announce_ready((*origin)->address());
  session.run([&] { return describe((*origin)->counters()); });
  std::printf("stopped after %s\n", describe((*origin)->counters()).c_str());
  return kExitDone;
}

constexpr const char* kExample =
    "Answers GET and HEAD with ranges, ETag and 206, 404, 416 as they should be. Prints\n"
    "\"listening on HOST:PORT\" when ready; Ctrl-C ends it. Port 0 lets the system choose.\n\n"
    "Examples:\n"
    "  tributary origin music\n"
    "  tributary origin music --listen 127.0.0.1:0 --rate 2M";

}  // namespace

void add_origin(CommandLine& line) {
  auto arguments = std::make_shared<OriginArguments>();
  Subcommand sub = line.add(kName, "Serve a folder over HTTP, as a CDN would", kExample,
                            [arguments] { return serve(*arguments); });
  sub.require("dir", "DIR", arguments->directory, "The folder to serve");
  sub.add("--listen", "HOST:PORT", arguments->listen, parse_listen,
          "Where to listen (127.0.0.1:8080)");
  sub.add("--rate", "RATE", arguments->rate, parse_rate,
          "Limit of all answers together, in bit/s with k, M, G (none)");
  sub.add("-v,--verbose", arguments->verbose, "Print counters where there is no terminal");
}

}  // namespace tributary::demo
