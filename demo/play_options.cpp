#include "demo/play_options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "demo/arguments.h"
#include "demo/resolve_peers.h"

namespace tributary::demo {
namespace {

// What the library calls by numbers, by the names of engine_names.h.
template <class T, std::size_t kCount>
using Names = std::array<std::pair<std::string_view, T>, kCount>;

constexpr Names<tributary_unchoker, 4> kUnchokers = {
    {{"tit-for-tat", TRIBUTARY_UNCHOKER_TIT_FOR_TAT},
     {"tit-for-tat-fastest", TRIBUTARY_UNCHOKER_TIT_FOR_TAT_FASTEST},
     {"prop-share", TRIBUTARY_UNCHOKER_PROP_SHARE},
     {"need-first", TRIBUTARY_UNCHOKER_NEED_FIRST}}};
constexpr Names<tributary_encryption, 3> kEncryptions = {
    {{"off", TRIBUTARY_ENCRYPTION_OFF},
     {"allowed", TRIBUTARY_ENCRYPTION_ALLOWED},
     {"required", TRIBUTARY_ENCRYPTION_REQUIRED}}};
constexpr Names<tributary_transport, 3> kTransports = {{{"both", TRIBUTARY_TRANSPORT_BOTH},
                                                        {"tcp", TRIBUTARY_TRANSPORT_TCP},
                                                        {"utp", TRIBUTARY_TRANSPORT_UTP}}};

// REQUIRES: the name is one of them.
template <class T, std::size_t kCount>
T value_of(const Names<T, kCount>& names, std::string_view name) {
  return std::find_if(names.begin(), names.end(),
                      [name](const auto& known) { return known.first == name; })
      ->second;
}

std::int64_t limit_of(BitRate rate) { return rate == kUnlimited ? 0 : rate.bits_per_second(); }

Result<api::Policy> policy_of(const ClientArguments& arguments) {
  auto policy = api::policy_named(arguments.policy);
  if (!policy) return unknown_policy(arguments.policy);
  if (!arguments.unchoker.empty()) policy->unchoker = value_of(kUnchokers, arguments.unchoker);
  return *policy;
}

Result<void> apply(const NetworkArguments& arguments, api::Options& options) {
  for (const std::string& node : arguments.dht_nodes) {
    const auto understood = parse_remote("DHT node", node);
    if (!understood) return understood.error();
  }
  if (arguments.listen) options.listen = address_text(*arguments.listen);
  options.local_discovery = !arguments.no_lsd;
  options.port_mapping = !arguments.no_port_mapping;
  options.dht = !arguments.no_dht;
  options.dht_nodes = arguments.dht_nodes;
  options.overlay = !arguments.no_overlay;
  options.network_interface = arguments.source;
  options.operators_file = arguments.operators;
  options.encryption = value_of(kEncryptions, arguments.encryption);
  options.transport = value_of(kTransports, arguments.transport);
  options.max_connections = arguments.connections.value_or(0);
  options.up_bps = limit_of(arguments.up);
  options.up_each_bps = limit_of(arguments.up_each);
  return {};
}

}  // namespace

Result<void> apply(const ClientArguments& arguments, api::Options& options) {
  TRIBUTARY_TRY(policy, policy_of(arguments));
  options.policy = policy;
  options.upload = !arguments.no_upload;
  options.metered = arguments.metered;
  options.cache_directory = arguments.cache;
  options.down_bps = limit_of(arguments.down);
  options.down_each_bps = limit_of(arguments.down_each);
  auto applied = apply(arguments.network, options);
  if (!applied) return applied;
  TRIBUTARY_TRY(peers, resolve_peers(arguments.peers));
  for (const Endpoint& peer : peers) options.peers.push_back(address_text(peer));
  return {};
}

Error error_of(const api::Error& error) {
  switch (error.code) {
    case TRIBUTARY_E_INVALID:
      return {ErrorCode::kInvalid, error.message};
    case TRIBUTARY_E_UNSUPPORTED:
      return {ErrorCode::kUnsupported, error.message};
    case TRIBUTARY_E_NOT_FOUND:
      return {ErrorCode::kNotFound, error.message};
    case TRIBUTARY_E_LIMIT:
      return {ErrorCode::kLimit, error.message};
    case TRIBUTARY_E_CANCELLED:
      return {ErrorCode::kCancelled, error.message};
    default:
      return {ErrorCode::kIo, error.message};
  }
}

}  // namespace tributary::demo
