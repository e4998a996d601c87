#include "player/client/decision_line.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace tributary;          // NOLINT
using namespace tributary::player;  // NOLINT
using nlohmann::json;

namespace {

core::Decision decision() {
  core::Decision d;
  d.at = TimePoint(5s);
  d.torrent = core::TorrentId(2);
  d.blocks = {core::BlockIndex(7), core::BlockIndex(9)};
  d.deadline = TimePoint(6s);
  d.candidates = {{core::ConnId(3), TimePoint(5500ms)},
                  {core::ConnId(core::kInboundBit.value() | 4), kNever}};
  d.peer = core::ConnId(3);
  d.why = "most urgent, finishes first";
  return d;
}

}  // namespace

TEST_CASE("a decision for a peer names block, deadline, candidates, choice and why") {
  const json line = json::parse(decision_line(decision(), TimePoint(4s)));
  CHECK(line["t_ms"] == 1000.0);
  CHECK(line["torrent"] == 2);
  CHECK(line["block"] == 7);
  CHECK(line["blocks"] == 2);
  CHECK(line["deadline_ms"] == 1000.0);
  CHECK(line["cdn_last_safe_ms"].is_null());
  CHECK(line["candidates"][0] == json{{"peer", "out:3"}, {"finish_ms", 500.0}});
  CHECK(line["candidates"][1] == json{{"peer", "in:4"}, {"finish_ms", nullptr}});
  CHECK(line["choice"] == "peer");
  CHECK(line["peer"] == "out:3");
  CHECK(line["reason"].is_null());
  CHECK(line["why"] == "most urgent, finishes first");
}

TEST_CASE("a decision for the CDN names its reason and no peer") {
  core::Decision d = decision();
  d.choice = core::Decision::Choice::kCdn;
  d.reason = core::CdnReason::kRescue;
  const json line = json::parse(decision_line(d, TimePoint(5s)));
  CHECK(line["choice"] == "cdn");
  CHECK(line["reason"] == "rescue");
  CHECK(line["peer"].is_null());
}
