#include "demo/client_options.h"

#include <filesystem>
#include <system_error>

#include "demo/arguments.h"
#include "demo/named.h"
#include "demo/resolve_peers.h"
#include "demo/unchoker_option.h"
#include "engine/wire/magnet.h"

namespace tributary::demo {
namespace {

constexpr const char* kPolicies = "adaptive, spotify, cdn-only, peers-only";

}  // namespace

Result<void> check_sources(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    auto parsed = parse_source(source);
    if (!parsed) return parsed.error();
    std::error_code ignored;
    const bool local = source.find("://") == std::string::npos && !wire::is_magnet(source);
    if (local && !std::filesystem::exists(source, ignored)) {
      return Error{ErrorCode::kNotFound,
                   "cannot play '" + source + "': no such file; give the path of a .torrent"};
    }
  }
  return {};
}

Result<void> apply(const ClientArguments& arguments, player::ClientOptions& options) {
  const auto policy = core::Policy::by_name(arguments.policy);
  if (!policy) {
    return invalid("unknown policy '" + arguments.policy + "'; choose " + kPolicies);
  }
  player::HostOptions& host = options.host;
  host.policy = arguments.metered ? policy->metered() : *policy;
  host.policy.unchoker = arguments.unchoker.value_or(policy->unchoker);
  host.upload = !arguments.no_upload && !arguments.metered;
  host.cache_directory = arguments.cache;
  host.down = arguments.down;
  host.down_each = arguments.down_each;
  auto applied = apply(arguments.network, host);
  if (!applied) return applied;
  TRIBUTARY_TRY(peers, resolve_peers(arguments.peers));
  options.peers = std::move(peers);
  return {};
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
  sub.add("--unchoker", "NAME", arguments.unchoker, parse_unchoker,
          std::string(kUnchokerHelp) + " (as the policy has it)");
  sub.offer("--unchoker", names_of(core::kUnchokers));
  sub.add("--peer", "HOST:PORT", arguments.peers, "A peer to ask, may be repeated");
  sub.add("--no-upload", arguments.no_upload, "Send nothing to peers");
  sub.add("--metered", arguments.metered,
          "On a link that costs: send nothing, fetch little ahead of what is heard");
}

}  // namespace tributary::demo
