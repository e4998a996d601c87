#include "demo/loadtest/report_files.h"

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "demo/loadtest/figures.h"
#include "engine/net/disk_file.h"

namespace tributary::demo {
namespace {

using Json = nlohmann::ordered_json;
using sim::Origin;

std::int64_t milliseconds(Duration time) { return time.count() / 1000; }

Json by_origin(const sim::OriginBytes& bytes) {
  return {{"cdn", bytes[Origin::kCdn].count()},
          {"peers", bytes[Origin::kPeers].count()},
          {"cache", bytes[Origin::kCache].count()}};
}

Json percentiles(const std::vector<Duration>& startups) {
  Json out = {{"count", startups.size()}};
  for (const int q : {50, 75, 90, 99}) {
    out["p" + std::to_string(q)] = milliseconds(percentile(startups, q));
  }
  return out;
}

Json by_reason(const core::ReasonBytes& bytes) {
  Json out;
  for (const core::CdnReason reason : core::kCdnReasons) {
    out[std::string(core::to_string(reason))] = bytes[reason].count();
  }
  return out;
}

Json ledger_of(const core::ByteCounts& ledger) {
  return {{"cdn", ledger.cdn().count()},
          {"by_reason", by_reason(ledger.cdn_by_reason)},
          {"peers", ledger.peers.count()},
          {"uploaded", ledger.uploaded.count()},
          {"duplicate", ledger.duplicate.count()},
          {"duplicate_by_reason", by_reason(ledger.cdn_duplicate)},
          {"corrupt", ledger.corrupt.count()},
          {"corrupt_by_reason", by_reason(ledger.cdn_corrupt)}};
}

Json classes_of(const sim::LoadReport& report) {
  Json classes = Json::array();
  for (const sim::LoadClass& c : report.by_class) {
    classes.push_back({{"name", c.name},
                       {"listeners", c.listeners},
                       {"online_s", milliseconds(c.online) / 1000},
                       {"plays", c.plays},
                       {"unheard", c.unheard},
                       {"stalls", c.stalls},
                       {"stalled_plays", c.stalled_plays},
                       {"rebuffering_ratio", rebuffering_ratio(c)},
                       {"startup_ms", percentiles(c.startups)},
                       {"bytes_received", by_origin(c.received)},
                       {"uploaded", c.uploaded.count()}});
  }
  return classes;
}

Json fates_of(const sim::LoadReport& r) {
  return {{"kept", by_origin(r.kept)},
          {"duplicate", by_origin(r.duplicate)},
          {"corrupt", by_origin(r.corrupt)}};
}

Json machine_of(const sim::MachineUse& use) {
  return {{"processor_ms", milliseconds(use.processor)},
          {"node_s", milliseconds(use.online) / 1000},
          {"processor_per_node", part_of(use.processor.count(), use.online.count())},
          {"memory_per_node", use.memory.count()}};
}

Json policy_of(const Scenario& scenario, const sim::LoadReport& r) {
  Json popularity = Json::array();
  for (const sim::OriginBytes& tenth : r.by_popularity) popularity.push_back(by_origin(tenth));
  const auto rates = cdn_rates(r, scenario.setup.warm_up);
  Json out = {{"policy", r.policy},
              {"digest", std::to_string(r.digest)},
              {"events", r.events},
              {"measured_s", milliseconds(r.measured) / 1000},
              {"plays", r.plays},
              {"unheard", r.unheard},
              {"stalls", r.stalls},
              {"stalled_plays", r.stalled_plays},
              {"stalled_ms", milliseconds(r.stalled)},
              {"heard_ms", milliseconds(r.heard)},
              {"rebuffering_ratio", rebuffering_ratio(r)},
              {"offload_ratio", part_of(r.received[Origin::kPeers], r.received.total())},
              {"startup_ms", percentiles(r.startups)},
              {"cached_startup_ms", percentiles(r.cached_startups)},
              {"bytes_heard", by_origin(r.played)},
              {"bytes_received", by_origin(r.received)},
              {"fates", fates_of(r)},
              {"ledger", ledger_of(r.ledger)},
              {"cdn",
               {{"bytes", r.cdn.bytes.count()},
                {"cut_off", r.cdn.cut_off.count()},
                {"requests", r.cdn.requests},
                {"failures", r.cdn.failures},
                {"rate_p95", percentile(rates, 95).bits_per_second()},
                {"rate_peak", percentile(rates, 100).bits_per_second()}}},
              {"cost", cost(r, scenario.prices)},
              {"by_popularity", popularity},
              {"by_class", classes_of(r)},
              {"from_operator", r.from_operator.count()},
              {"messages", r.messages},
              {"message_bytes", r.message_bytes.count()},
              {"search_bytes", r.search_bytes.count()},
              {"announces", r.announces},
              {"upload_fairness", part_of(r.fairness(), sim::kWhole)}};
  if (r.machine) out["machine"] = machine_of(*r.machine);
  return out;
}

}  // namespace

std::string render_json(const Scenario& scenario, const std::vector<sim::LoadReport>& reports,
                        const LoadLabel& label) {
  Json policies = Json::array();
  for (const sim::LoadReport& report : reports) policies.push_back(policy_of(scenario, report));
  const Json out = {{"scenario", scenario.name},
                    {"title", scenario.title},
                    {"command", label.command},
                    {"seed", label.seed},
                    {"live", label.live},
                    {"listeners", scenario.workload.listeners},
                    {"length_s", milliseconds(scenario.workload.length) / 1000},
                    {"warm_up_s", milliseconds(scenario.setup.warm_up) / 1000},
                    {"currency", scenario.prices.currency},
                    {"policies", policies}};
  return out.dump(2) + "\n";
}

std::string render_time_csv(const std::vector<sim::LoadReport>& reports) {
  std::string out = "policy,time_s,cdn_bytes,peer_bytes,online\n";
  for (const sim::LoadReport& report : reports) {
    Duration end{};
    for (const sim::LoadBin& bin : report.bins) {
      end += report.bin;
      out += report.policy + "," + std::to_string(milliseconds(end) / 1000) + "," +
             std::to_string(bin.received[Origin::kCdn].count()) + "," +
             std::to_string(bin.received[Origin::kPeers].count()) + "," +
             std::to_string(bin.online) + "\n";
    }
  }
  return out;
}

Result<void> make_folder(const std::string& folder, const std::string& option) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return io_error("cannot make the folder '" + folder + "': " + error.message() +
                  "; choose another with " + option);
}

Result<void> write_report(const std::string& folder, const Scenario& scenario,
                          const std::vector<sim::LoadReport>& reports, const LoadLabel& label) {
  const std::array<std::pair<const char*, std::string>, 3> files = {
      {{"report.html", render_html(scenario, reports, label)},
       {"report.json", render_json(scenario, reports, label)},
       {"time.csv", render_time_csv(reports)}}};
  for (const auto& [name, text] : files) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    auto written = net::replace_file(folder + "/" + name, {bytes, text.size()});
    if (!written) return written;
  }
  return {};
}

}  // namespace tributary::demo
