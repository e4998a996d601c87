#include "player/gateway/settings.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "engine/wire/text.h"

namespace tributary::player {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLowest = 1'000;
constexpr std::int64_t kHighest = 1'000'000'000'000;

Result<BitRate> parse_limit(const std::string& name, const Json& value) {
  const bool whole = value.is_number_integer();
  const auto rate = whole ? value.get<std::int64_t>() : -1;
  if (rate == 0) return kUnlimited;
  if (rate < kLowest || rate > kHighest) {
    return invalid("'" + name + "' is no rate; give bit/s from 1000 to 10^12, or 0 for no limit");
  }
  return BitRate(rate);
}

Result<core::Policy> parse_policy(const Json& value) {
  const auto policy =
      value.is_string() ? core::Policy::by_name(value.get_ref<const std::string&>()) : std::nullopt;
  if (!policy) return invalid("no such policy; give adaptive, spotify, cdn-only or peers-only");
  return *policy;
}

Result<void> take(Settings& settings, const std::string& name, const Json& value) {
  if (name == "policy") {
    TRIBUTARY_TRY(policy, parse_policy(value));
    settings.policy = policy;
  } else if (name == "up_bps" || name == "down_bps") {
    TRIBUTARY_TRY(limit, parse_limit(name, value));
    (name == "up_bps" ? settings.up : settings.down) = limit;
  } else if (name == "upload") {
    if (!value.is_boolean()) return invalid("'upload' is neither true nor false");
    settings.upload = value.get<bool>();
  } else {
    return invalid("no setting is called '" + wire::printable(name) +
                   "'; there are policy, up_bps, down_bps and upload");
  }
  return {};
}

std::int64_t as_number(BitRate limit) { return limit == kUnlimited ? 0 : limit.bits_per_second(); }

}  // namespace

Result<Settings> parse_settings(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return invalid("the body is no JSON object");
  Settings settings;
  for (const auto& [name, value] : object.items()) {
    if (auto taken = take(settings, name, value); !taken) return taken.error();
  }
  return settings;
}

std::string settings_json(const EngineView& engine) {
  return Json{{"policy", engine.policy.name},
              {"up_bps", as_number(engine.limits.up)},
              {"down_bps", as_number(engine.limits.down)},
              {"upload", engine.upload}}
      .dump();
}

}  // namespace tributary::player
