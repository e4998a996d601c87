#include "player/api/policy.h"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "player/api/structs.h"

namespace tributary::capi {
namespace {

struct Range {
  std::int64_t least;
  std::int64_t most;
};
constexpr Range kTime = {0, 86'400'000};  // ms: a day
constexpr Range kSize = {0, std::int64_t{1} << 40};
constexpr Range kSwitch = {0, 1};

// The members of both structs, side by side.
template <class C, class Core, class Visit>
void for_each_member(C& c, Core& core, Visit visit) {
  visit("use_cdn", c.use_cdn, core.use_cdn, kSwitch);
  visit("use_peers", c.use_peers, core.use_peers, kSwitch);
  visit("head_ms", c.head_ms, core.head, kTime);
  visit("head_unknown_bytes", c.head_unknown_bytes, core.head_bytes_unknown, kSize);
  visit("peers_wait_for_head", c.peers_wait_for_head, core.peers_wait_for_head, kSwitch);
  visit("margin_ms", c.margin_ms, core.margin, kTime);
  visit("hedge_margin_ms", c.hedge_margin_ms, core.hedge_margin, kTime);
  visit("no_peer_low_ms", c.no_peer_low_ms, core.no_peer_low, kTime);
  visit("no_peer_high_ms", c.no_peer_high_ms, core.no_peer_high, kTime);
  visit("alone_low_ms", c.alone_low_ms, core.alone_low, kTime);
  visit("alone_high_ms", c.alone_high_ms, core.alone_high, kTime);
  visit("coalesce_ms", c.coalesce_ms, core.coalesce, kTime);
  visit("max_request_bytes", c.max_request_bytes, core.max_request, Range{16 << 10, 1 << 30});
  visit("server_throttle_ms", c.server_throttle_ms, core.server_throttle, kTime);
  visit("seed_swarm", c.seed_swarm, core.seed_swarm, kSwitch);
  visit("seed_from_ms", c.seed_from_ms, core.seed_from, kTime);
  visit("seed_until_ms", c.seed_until_ms, core.seed_until, kTime);
  visit("urgent_window_ms", c.urgent_window_ms, core.urgent_window, kTime);
  visit("in_order", c.in_order, core.in_order, kSwitch);
  visit("min_depth", c.min_depth, core.min_depth, Range{1, 1000});
  visit("max_depth_ms", c.max_depth_ms, core.max_depth_time, kTime);
  visit("assumed_peer_bps", c.assumed_peer_bps, core.assumed_peer_rate,
        Range{1000, 1'000'000'000'000});
  visit("duplicate_percent", c.duplicate_percent, core.duplicate_percent, Range{0, 100});
  visit("peer_horizon_ms", c.peer_horizon_ms, core.peer_horizon, kTime);
  visit("unchoker", c.unchoker, core.unchoker,
        Range{TRIBUTARY_UNCHOKER_TIT_FOR_TAT, TRIBUTARY_UNCHOKER_NEED_FIRST});
  visit("emergency_ms", c.emergency_ms, core.emergency_buffer, kTime);
  visit("emergency_only_when_late", c.emergency_only_when_late, core.emergency_only_when_late,
        kSwitch);
  visit("prefetch_peers_ms", c.prefetch_peers_ms, core.prefetch_peers_at, kTime);
  visit("prefetch_server_ms", c.prefetch_server_ms, core.prefetch_server_at, kTime);
  visit("prefetch_head_ms", c.prefetch_head_ms, core.prefetch_head, kTime);
  visit("prefetch_budget_bytes", c.prefetch_budget_bytes, core.prefetch_budget, kSize);
  visit("prefetch_early", c.prefetch_early, core.prefetch_early, kSwitch);
}

std::int64_t number_of(bool value) { return value ? 1 : 0; }
std::int64_t number_of(std::int32_t value) { return value; }
std::int64_t number_of(Bytes value) { return value.count(); }
std::int64_t number_of(BitRate value) { return value.bits_per_second(); }
std::int64_t number_of(Duration value) { return value / 1ms; }
std::int64_t number_of(core::Unchoker value) { return static_cast<std::int64_t>(value); }
std::int64_t number_of(const std::optional<Duration>& value) {
  return value ? number_of(*value) : -1;
}

void set(bool& value, std::int64_t number) { value = number != 0; }
void set(std::int32_t& value, std::int64_t number) { value = static_cast<std::int32_t>(number); }
void set(Bytes& value, std::int64_t number) { value = Bytes(number); }
void set(BitRate& value, std::int64_t number) { value = BitRate(number); }
void set(Duration& value, std::int64_t number) { value = number * 1ms; }
void set(core::Unchoker& value, std::int64_t number) {
  value = static_cast<core::Unchoker>(number);
}
void set(std::optional<Duration>& value, std::int64_t number) {
  value = number < 0 ? std::nullopt : std::optional(Duration(number * 1ms));
}

template <class Value>
constexpr std::int64_t kNone = 0;  // how far below its range a member may be
template <>
constexpr std::int64_t kNone<std::optional<Duration>> = -1;

// What the policy is called whose values these are, whom to upload to aside.
std::string_view name_of(const tributary_policy& given) {
  using core::Policy;
  for (const Policy& named :
       {Policy::adaptive(), Policy::spotify(), Policy::cdn_only(), Policy::peers_only()}) {
    bool same = true;
    for_each_member(given, named,
                    [&same](const char*, const auto& number, const auto& value, const Range&) {
                      using Value = std::decay_t<decltype(value)>;
                      if constexpr (!std::is_same_v<Value, core::Unchoker>) {
                        same = same && number == number_of(value);
                      }
                    });
    if (same) return named.name;
  }
  return "custom";
}

}  // namespace

Result<core::Policy> policy_from(const tributary_policy& from) {
  core::Policy policy;
  policy.name = name_of(from);
  std::optional<Error> error;
  for_each_member(from, policy,
                  [&](const char* name, const auto& number, auto& value, const Range& range) {
                    using Value = std::decay_t<decltype(value)>;
                    const std::int64_t given = number;
                    if (given >= range.least + kNone<Value> && given <= range.most) {
                      return set(value, given);
                    }
                    if (error) return;
                    error = invalid("policy." + std::string(name) + " is " + std::to_string(given) +
                                    "; give " + std::to_string(range.least + kNone<Value>) +
                                    " to " + std::to_string(range.most));
                  });
  if (error) return *std::move(error);
  return policy;
}

tributary_policy policy_to(const core::Policy& policy) {
  tributary_policy to{};
  to.size = sizeof to;
  for_each_member(to, policy, [](const char*, auto& number, const auto& value, const Range&) {
    number = static_cast<std::decay_t<decltype(number)>>(number_of(value));
  });
  return to;
}

}  // namespace tributary::capi

using namespace tributary;  // NOLINT: the exported functions belong to no namespace

extern "C" int tributary_policy_named(const char* name, tributary_policy* policy) {
  return capi::guarded([&]() -> int {
    const int checked = capi::check_size(policy, "tributary_policy");
    if (checked < 0) return checked;
    const auto found = core::Policy::by_name(name ? name : "");
    if (found) return capi::write_struct(capi::policy_to(*found), policy), TRIBUTARY_OK;
    return capi::fail(TRIBUTARY_E_NOT_FOUND,
                      "no policy is called '" + std::string(name ? name : "") +
                          "'; choose adaptive, spotify, cdn-only or peers-only");
  });
}
