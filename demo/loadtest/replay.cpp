// tributary replay: a recorded session once more, under another policy, in virtual time.
#include "engine/sim/replay.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "demo/command.h"
#include "demo/loadtest/recording_file.h"
#include "demo/loadtest/replay_report.h"
#include "engine/net/disk_file.h"
#include "engine/wire/octets.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "replay";

struct ReplayArguments {
  std::string path;
  std::vector<std::string> policies;
  std::string report;
};

Result<std::vector<core::Policy>> policies_of(const ReplayArguments& arguments) {
  std::vector<core::Policy> policies;
  for (const std::string& name : arguments.policies) {
    const auto policy = core::Policy::by_name(name);
    if (!policy) {
      return invalid("policy '" + name +
                     "' is unknown; give adaptive, spotify, cdn-only or peers-only");
    }
    policies.push_back(*policy);
  }
  if (policies.empty()) {
    policies = {core::Policy::adaptive(), core::Policy::spotify(), core::Policy::cdn_only()};
  }
  return policies;
}

Result<void> act(const ReplayArguments& arguments) {
  TRIBUTARY_TRY(policies, policies_of(arguments));
  TRIBUTARY_TRY(recording, read_recording(arguments.path));
  std::vector<sim::ReplayReport> replays;
  for (const core::Policy& policy : policies) replays.push_back(sim::replay(recording, policy));
  for (const std::string& line : terminal_lines(replay_table(recording, replays))) {
    std::printf("%s\n", line.c_str());
  }
  for (const std::string& note : replay_notes(recording, replays)) {
    std::printf("%s\n", note.c_str());
  }
  if (arguments.report.empty()) return {};
  const std::string json = replay_json(recording, replays);
  return net::replace_file(arguments.report, wire::as_octets(json));
}

constexpr const char* kExample =
    "The same client, in virtual time, among peers that come, go, have and give what those of the\n"
    "recording did, and a CDN as fast as it was then. The table shows what was recorded, what "
    "each\n"
    "policy would have come to, and the difference. The same trace gives the same figures "
    "everywhere.\n"
    "Nobody knows of peers that the recorded policy did not connect to, so record under one that\n"
    "uses peers and CDN. What a trace holds: player/client/trace.md.\n\n"
    "Examples:\n"
    "  tributary play song.torrent --trace session.jsonl\n"
    "  tributary replay session.jsonl --policy cdn-only\n"
    "  tributary replay session.jsonl --policy adaptive --policy spotify --report difference.json";

}  // namespace

void add_replay(CommandLine& line) {
  auto arguments = std::make_shared<ReplayArguments>();
  Subcommand sub =
      line.add(kName, "Replay a recorded session under another policy", kExample, [arguments] {
        const auto done = act(*arguments);
        return done ? kExitDone : fail(kName, done.error());
      });
  sub.require("session", "SESSION.jsonl", arguments->path, "What `play --trace` has written");
  sub.add("--policy", "NAME", arguments->policies,
          "adaptive, spotify, cdn-only or peers-only; may be repeated (all but the last)");
  sub.add("--report", "FILE.json", arguments->report,
          "Write the figures there, for other programs");
}

}  // namespace tributary::demo
