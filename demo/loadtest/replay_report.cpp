#include "demo/loadtest/replay_report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "demo/human.h"
#include "demo/loadtest/figures.h"

namespace tributary::demo {
namespace {

using Json = nlohmann::ordered_json;
using sim::SessionFigures;

// One figure: its name, its value, and how a value is written; the difference is of the same kind.
struct Row {
  std::string name;
  std::function<double(const SessionFigures&)> value;
  std::function<std::string(double)> write;
};

std::string bytes_of(double value) { return human_bytes(Bytes(static_cast<std::int64_t>(value))); }
std::string delay_of(double value) {
  return human_delay(Duration(static_cast<std::int64_t>(value)));
}
std::string count_of(double value) { return std::to_string(static_cast<std::int64_t>(value)); }
std::string percent_of(double value) { return fine_percent(value); }

double offload(const SessionFigures& f) {
  return part_of(f.bytes.peers, f.bytes.peers + f.bytes.cdn());
}

double number(Bytes bytes) { return static_cast<double>(bytes.count()); }
double number(Duration time) { return static_cast<double>(time.count()); }

std::vector<Row> rows() {
  std::vector<Row> all = {
      {"heard", [](const SessionFigures& f) { return number(f.played); }, delay_of},
      {"startup", [](const SessionFigures& f) { return number(f.startup); }, delay_of},
      {"stalls", [](const SessionFigures& f) { return static_cast<double>(f.stalls); }, count_of},
      {"stalled", [](const SessionFigures& f) { return number(f.stalled); }, delay_of},
      {"offload", offload, percent_of},
      {"from peers", [](const SessionFigures& f) { return number(f.bytes.peers); }, bytes_of},
      {"from the CDN", [](const SessionFigures& f) { return number(f.bytes.cdn()); }, bytes_of}};
  for (const core::CdnReason reason : core::kCdnReasons) {
    all.push_back(
        {"  " + std::string(core::to_string(reason)),
         [reason](const SessionFigures& f) { return number(f.bytes.cdn_by_reason[reason]); },
         bytes_of});
  }
  all.push_back({"CDN requests",
                 [](const SessionFigures& f) { return static_cast<double>(f.bytes.cdn_requests); },
                 count_of});
  all.push_back(
      {"duplicate", [](const SessionFigures& f) { return number(f.bytes.duplicate); }, bytes_of});
  return all;
}

std::string difference(const Row& row, double recorded, double replayed) {
  const double change = replayed - recorded;
  if (change == 0) return "=";
  return (change > 0 ? "+" : "-") + row.write(std::abs(change));
}

Json json_of(const SessionFigures& f) {
  Json reasons;
  for (const core::CdnReason reason : core::kCdnReasons) {
    reasons[std::string(core::to_string(reason))] = f.bytes.cdn_by_reason[reason].count();
  }
  return {{"played_ms", f.played.count() / 1000},
          {"startup_ms", static_cast<double>(f.startup.count()) / 1e3},
          {"stalls", f.stalls},
          {"stall_ms", static_cast<double>(f.stalled.count()) / 1e3},
          {"offload_ratio", offload(f)},
          {"cdn", f.bytes.cdn().count()},
          {"by_reason", reasons},
          {"peers", f.bytes.peers.count()},
          {"duplicate", f.bytes.duplicate.count()},
          {"cdn_requests", f.bytes.cdn_requests}};
}

}  // namespace

TextTable replay_table(const sim::Recording& recording,
                       const std::vector<sim::ReplayReport>& replays) {
  TextTable table{{"", "recorded: " + recording.policy}, {}, 1};
  for (const sim::ReplayReport& replay : replays) {
    table.head.push_back(replay.policy);
    table.head.emplace_back("difference");
  }
  for (const Row& row : rows()) {
    const double recorded = row.value(recording.figures);
    std::vector<std::string> line = {row.name, row.write(recorded)};
    for (const sim::ReplayReport& replay : replays) {
      const double replayed = row.value(replay.figures);
      line.push_back(row.write(replayed));
      line.push_back(difference(row, recorded, replayed));
    }
    table.rows.push_back(std::move(line));
  }
  return table;
}

std::vector<std::string> replay_notes(const sim::Recording& recording,
                                      const std::vector<sim::ReplayReport>& replays) {
  std::vector<std::string> notes;
  if (replays.empty()) return notes;
  const sim::ReplayReport& any = replays.front();
  if (recording.peers.empty()) {
    notes.emplace_back("The recording met no peers, so nothing is known of them: there are none.");
  } else if (!any.peer_rates_known) {
    notes.emplace_back(
        "The recording asked its peers for next to nothing: 2 Mbit/s are assumed of each.");
  }
  if (!any.cdn_known) {
    notes.emplace_back(
        "The recording asked the CDN for nothing: 50 ms to the first byte and 20 Mbit/s are "
        "assumed.");
  }
  for (const sim::ReplayReport& replay : replays) {
    if (!replay.finished)
      notes.push_back("Under " + replay.policy + " it did not come to the end within a day.");
  }
  return notes;
}

std::string replay_json(const sim::Recording& recording,
                        const std::vector<sim::ReplayReport>& replays) {
  Json all = Json::array();
  for (const sim::ReplayReport& replay : replays) {
    Json one = json_of(replay.figures);
    one["policy"] = replay.policy;
    one["finished"] = replay.finished;
    one["digest"] = std::to_string(replay.digest);
    all.push_back(std::move(one));
  }
  Json recorded = json_of(recording.figures);
  recorded["policy"] = recording.policy;
  const Json out = {{"recorded", recorded}, {"replays", all}};
  return out.dump(2) + "\n";
}

}  // namespace tributary::demo
