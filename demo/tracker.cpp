// tributary tracker: peers tell each other apart here.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/server_session.h"
#include "engine/net/digests.h"
#include "engine/net/tracker_server.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "tracker";
constexpr std::uint16_t kPort = 6969;

struct TrackerArguments {
  Endpoint listen = Endpoint::v4(127, 0, 0, 1, kPort);
  Duration interval = wire::TrackerOptions{}.interval;
  Duration min_interval = Duration(-1);  // negative: the default, or the interval where shorter
  bool no_udp = false;
  bool verbose = false;
};

std::string describe(const net::TrackerServer& tracker) {
  const wire::TrackerState& state = tracker.state();
  return human_count(tracker.announces(), "announce") + ", " +
         human_count(static_cast<std::int64_t>(state.swarm_count()), "swarm") + ", " +
         human_count(static_cast<std::int64_t>(state.peer_count()), "peer");
}

wire::TrackerOptions options_of(const TrackerArguments& arguments) {
  wire::TrackerOptions options;
  options.interval = arguments.interval;
  options.min_interval =
      arguments.min_interval >= Duration::zero() ? arguments.min_interval : options.min_interval;
  options.min_interval = std::min(options.min_interval, options.interval);
  // Above twice the interval, so that one lost announce does no harm.
  options.peer_lifetime = options.interval * 2 + options.interval / 6;
  return options;
}

int serve(const TrackerArguments& arguments) {
  if (arguments.interval < 1s) {
    return fail(kName, invalid("--interval is below a second; give at least 1s"));
  }
  ServerSession session(arguments.verbose);
  net::TrackerServerOptions server_options;
  server_options.udp = !arguments.no_udp;
  auto tracker = net::TrackerServer::serve(session.loop(), arguments.listen, options_of(arguments),
                                           net::secure_random_u64(), server_options);
  if (!tracker) return fail(kName, {ErrorCode::kIo, tracker.error().message});
  ServerSession::announce_ready((*tracker)->address());
  session.run([&] { return describe(**tracker); });
  std::printf("stopped after %s\n", describe(**tracker).c_str());
  return kExitDone;
}

constexpr const char* kExample =
    "Keeps everything in memory. Prints \"listening on HOST:PORT\" when ready; Ctrl-C ends it. "
    "The\n"
    "announce URL is http://HOST:PORT/announce, or udp://HOST:PORT/announce: UDP has the same\n"
    "port. Both know the same peers, and both answer scrapes.\n\n"
    "Examples:\n"
    "  tributary tracker\n"
    "  tributary tracker --listen [::1]:6969 --interval 5m";

}  // namespace

void add_tracker(CommandLine& line) {
  auto arguments = std::make_shared<TrackerArguments>();
  Subcommand sub = line.add(kName, "Run a tracker over HTTP and UDP (BEP 3, 7, 15, 23, 48)",
                            kExample, [arguments] { return serve(*arguments); });
  sub.add("--listen", "HOST:PORT", arguments->listen, parse_listen,
          "Where to listen (127.0.0.1:6969)");
  sub.add("--interval", "T", arguments->interval, parse_time,
          "How often peers should announce (30m); they expire after twice that");
  sub.add("--min-interval", "T", arguments->min_interval, parse_time,
          "How often they may at most (1m)");
  sub.add("--no-udp", arguments->no_udp, "HTTP alone");
  sub.add("-v,--verbose", arguments->verbose, "Print counters where there is no terminal");
}

}  // namespace tributary::demo
