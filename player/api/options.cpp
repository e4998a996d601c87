#include "player/api/options.h"

#include <limits>
#include <string>
#include <utility>

#include "engine/net/address.h"
#include "engine/net/source_address.h"
#include "player/api/policy.h"
#include "player/api/structs.h"
#include "player/client/operators_file.h"

namespace tributary::capi {
namespace {

constexpr std::int64_t kMostRate = 1'000'000'000'000;
constexpr std::int64_t kLeastMemory = 4 << 20;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 50;
constexpr std::int32_t kMostConnections = 1'000'000;
constexpr std::size_t kMostAddresses = 1000;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Result<std::int64_t> in_range(const char* name, std::int64_t value, std::int64_t least,
                              std::int64_t most) {
  if (value >= least && value <= most) return value;
  return invalid(std::string(name) + " is " + std::to_string(value) + "; give " +
                 std::to_string(least) + " to " + std::to_string(most));
}

// Zero: the default, whatever the range.
Result<std::int64_t> zero_or(const char* name, std::int64_t value, std::int64_t least,
                             std::int64_t most) {
  if (value == 0) return value;
  return in_range(name, value, least, most);
}

Result<BitRate> rate_from(const char* name, std::int64_t bps) {
  TRIBUTARY_TRY(rate, in_range(name, bps, 0, kMostRate));
  return rate == 0 ? kUnlimited : BitRate(rate);
}

Result<void> check_switch(const char* name, int value) {
  auto checked = in_range(name, value, 0, 1);
  return checked ? Result<void>() : checked.error();
}

Result<void> check_switches(const tributary_options& o) {
  const std::pair<const char*, int> switches[] = {{"upload", o.upload},
                                                  {"metered", o.metered},
                                                  {"no_local_discovery", o.no_local_discovery},
                                                  {"no_port_mapping", o.no_port_mapping},
                                                  {"no_dht", o.no_dht},
                                                  {"no_overlay", o.no_overlay}};
  for (const auto& [name, value] : switches) {
    auto checked = check_switch(name, value);
    if (!checked) return checked;
  }
  return {};
}

Result<void> check_list(const char* name, const char* const* texts, std::size_t count) {
  if (count > kMostAddresses) {
    return Error{ErrorCode::kLimit,
                 std::string(name) + ": at most " + std::to_string(kMostAddresses) + " are taken"};
  }
  if (count > 0 && !texts) return invalid(std::string(name) + " is NULL, but its count is not 0");
  for (std::size_t i = 0; i < count; ++i) {
    if (!texts[i]) return invalid(std::string(name) + "[" + std::to_string(i) + "] is NULL");
  }
  return {};
}

Result<player::DhtUse> dht_from(const tributary_options& o) {
  player::DhtUse use;
  use.enabled = o.no_dht == 0;
  use.reachable = !text_of(o.listen).empty();
  auto checked = check_list("dht_nodes", o.dht_nodes, o.dht_node_count);
  if (!checked) return checked.error();
  for (std::size_t i = 0; i < o.dht_node_count; ++i) {
    auto host = net::parse_host_port(o.dht_nodes[i]);
    if (!host || host->port == 0) {
      return invalid("dht node " + quoted(o.dht_nodes[i]) +
                     " is not understood; give HOST:PORT like 127.0.0.1:6881");
    }
    use.hosts.push_back(*std::move(host));
  }
  return use;
}

Result<void> set_sharing(const tributary_options& o, player::HostOptions& host) {
  const std::string_view listen = text_of(o.listen);
  auto at = net::parse_endpoint(listen.empty() ? "127.0.0.1:0" : listen);
  if (!at) {
    return invalid("listen " + quoted(listen) +
                   " is not understood; give a numeric ADDRESS:PORT like 0.0.0.0:6881");
  }
  host.listen = *at;
  host.local_discovery = !listen.empty() && o.no_local_discovery == 0;
  host.map_port = !listen.empty() && o.no_port_mapping == 0;
  host.overlay = o.no_overlay == 0;
  TRIBUTARY_TRY(dht, dht_from(o));
  host.dht = std::move(dht);
  if (const auto name = text_of(o.network_interface); !name.empty()) {
    TRIBUTARY_TRY(source, net::find_source(name));
    host.source = std::move(source);
  }
  TRIBUTARY_TRY(operators, player::read_operators(std::string(text_of(o.operators_file))));
  host.operators = std::move(operators);
  constexpr std::array kModes = {core::EncryptionMode::kAllowed, core::EncryptionMode::kRequired,
                                 core::EncryptionMode::kOff};
  TRIBUTARY_TRY(mode, in_range("encryption", o.encryption, 0, kModes.size() - 1));
  host.encryption = kModes[static_cast<std::size_t>(mode)];
  constexpr std::array kCarriers = {net::Carriers::kBoth, net::Carriers::kTcp, net::Carriers::kUtp};
  TRIBUTARY_TRY(carriers, in_range("transport", o.transport, 0, kCarriers.size() - 1));
  host.carriers = kCarriers[static_cast<std::size_t>(carriers)];
  return {};
}

Result<void> set_sizes(const tributary_options& o, player::HostOptions& host) {
  host.cache_directory = text_of(o.cache_directory);
  TRIBUTARY_TRY(cache, in_range("cache_limit_bytes", o.cache_limit_bytes, 0, kMostBytes));
  host.cache_limit = Bytes(cache);
  TRIBUTARY_TRY(memory,
                zero_or("memory_limit_bytes", o.memory_limit_bytes, kLeastMemory, kMostBytes));
  if (memory != 0) host.memory_limit = Bytes(memory);
  TRIBUTARY_TRY(connections, in_range("max_connections", o.max_connections, 0, kMostConnections));
  if (connections != 0) host.max_connections = static_cast<std::int32_t>(connections);
  TRIBUTARY_TRY(limits, limits_from({sizeof(tributary_limits), o.up_bps, o.down_bps, o.up_each_bps,
                                     o.down_each_bps}));
  host.up = limits.up;
  host.down = limits.down;
  host.up_each = limits.up_each;
  host.down_each = limits.down_each;
  return {};
}

Result<void> set_span(const tributary_options& o, player::ClientOptions& client) {
  TRIBUTARY_TRY(from, in_range("from_ms", o.from_ms, 0, kLongestTime));
  TRIBUTARY_TRY(until, in_range("until_ms", o.until_ms, 0, kLongestTime));
  if (until != 0 && until <= from) {
    return invalid("until_ms is " + std::to_string(until) + ", which is not after from_ms, " +
                   std::to_string(from));
  }
  client.from = from * 1ms;
  if (until != 0) client.until = until * 1ms;
  return {};
}

}  // namespace

Result<player::RateLimits> limits_from(const tributary_limits& l) {
  TRIBUTARY_TRY(up, rate_from("up_bps", l.up_bps));
  TRIBUTARY_TRY(down, rate_from("down_bps", l.down_bps));
  TRIBUTARY_TRY(up_each, rate_from("up_each_bps", l.up_each_bps));
  TRIBUTARY_TRY(down_each, rate_from("down_each_bps", l.down_each_bps));
  return player::RateLimits{up, down, up_each, down_each};
}

Result<Endpoint> peer_from(const char* text) {
  auto peer = net::parse_endpoint(text_of(text));
  if (peer && peer->port != 0) return peer;
  return invalid("peer " + quoted(text_of(text)) +
                 " is not understood; give ADDRESS:PORT like 203.0.113.7:6881");
}

Result<Conduct> conduct_from(const tributary_options& o) {
  Conduct conduct{core::Policy::adaptive(), o.upload != 0, o.metered != 0};
  if (!o.policy) return conduct;
  tributary_policy given{};
  if (read_struct(o.policy, given, "tributary_policy") < 0) {
    return invalid(tributary_error_message());
  }
  TRIBUTARY_TRY(policy, policy_from(given));
  conduct.policy = policy;
  return conduct;
}

Result<player::ClientOptions> options_from(const tributary_options& o) {
  auto switches = check_switches(o);
  if (!switches) return switches.error();
  player::ClientOptions client;
  TRIBUTARY_TRY(conduct, conduct_from(o));
  client.host.policy = conduct.effective_policy();
  client.host.upload = conduct.uploads();
  if (const auto audio = text_of(o.audio); !audio.empty()) client.audio = audio;
  auto set = set_sharing(o, client.host);
  if (set) set = set_sizes(o, client.host);
  if (set) set = set_span(o, client);
  if (!set) return set.error();
  auto peers = check_list("peers", o.peers, o.peer_count);
  if (!peers) return peers.error();
  for (std::size_t i = 0; i < o.peer_count; ++i) {
    TRIBUTARY_TRY(peer, peer_from(o.peers[i]));
    client.peers.push_back(peer);
  }
  return client;
}

}  // namespace tributary::capi
