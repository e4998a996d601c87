#include "player/client/decision_line.h"

#include <nlohmann/json.hpp>

#include "engine/core/events.h"

namespace tributary::player {
namespace {

using Json = nlohmann::ordered_json;

Json milliseconds(TimePoint at, TimePoint from) {
  if (at == kNever) return nullptr;
  return static_cast<double>((at - from).count()) / 1e3;
}

const char* choice_of(core::Decision::Choice choice) {
  switch (choice) {
    case core::Decision::Choice::kPeer:
      return "peer";
    case core::Decision::Choice::kCdn:
      return "cdn";
    case core::Decision::Choice::kCancel:
      break;
  }
  return "cancel";
}

}  // namespace

std::string connection_name(core::ConnId conn) {
  const bool inbound = (conn.value() & core::kInboundBit.value()) != 0;
  return (inbound ? "in:" : "out:") + std::to_string(conn.value() & ~core::kInboundBit.value());
}

std::string decision_line(const core::Decision& d, TimePoint start) {
  Json candidates = Json::array();
  for (const core::Candidate& c : d.candidates) {
    candidates.push_back(
        {{"peer", connection_name(c.peer)}, {"finish_ms", milliseconds(c.expected_finish, d.at)}});
  }
  Json json = {{"t_ms", milliseconds(d.at, start)},
               {"torrent", d.torrent.value()},
               {"block", d.blocks.begin.value()},
               {"blocks", d.blocks.size()},
               {"deadline_ms", milliseconds(d.deadline, d.at)},
               {"cdn_last_safe_ms", milliseconds(d.cdn_last_safe, d.at)},
               {"candidates", std::move(candidates)},
               {"choice", choice_of(d.choice)}};
  const bool cdn = d.choice == core::Decision::Choice::kCdn;
  json["peer"] = cdn ? Json() : Json(connection_name(d.peer));
  json["reason"] = cdn ? Json(core::to_string(d.reason)) : Json();
  json["why"] = d.why;
  return json.dump();
}

}  // namespace tributary::player
