#include "demo/client_options.h"

#include "demo/arguments.h"
#include "demo/engine_names.h"

namespace tributary::demo {

Error unknown_policy(const std::string& name) {
  return invalid("unknown policy '" + name + "'; choose adaptive, spotify, cdn-only, peers-only");
}

void add_policy_options(Subcommand& sub, ClientArguments& arguments) {
  sub.add("--policy", "NAME", arguments.policy,
          "adaptive, spotify, cdn-only or peers-only (adaptive)");
  sub.offer("--policy", {"adaptive", "spotify", "cdn-only", "peers-only"});
  sub.add("--cache", "DIR", arguments.cache, "Remember what was played there (nothing is kept)");
}

void add_limit_options(Subcommand& sub, ClientArguments& arguments) {
  sub.add("--down", "RATE", arguments.down, parse_rate,
          "Limit of download, of peers and CDN together (none)");
  sub.add("--down-each", "RATE", arguments.down_each, parse_rate,
          "The same for each torrent by itself (none)");
  sub.add("--unchoker", "NAME", arguments.unchoker, check_unchoker,
          std::string(kUnchokerHelp) + " (as the policy has it)");
  sub.offer("--unchoker", unchoker_names());
  sub.add("--peer", "HOST:PORT", arguments.peers, "A peer to ask, may be repeated");
  sub.add("--no-upload", arguments.no_upload, "Send nothing to peers");
  sub.add("--metered", arguments.metered,
          "On a link that costs: send nothing, fetch little ahead of what is heard");
}

}  // namespace tributary::demo
