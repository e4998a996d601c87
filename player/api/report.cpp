// tributary_report_*: what a session came to.
#include "player/client/report.h"

#include <string>
#include <utility>

#include "player/api/calls.h"
#include "player/api/ledger.h"

using namespace tributary;        // NOLINT: the exported functions belong to no namespace
using namespace tributary::capi;  // NOLINT

namespace {

struct ReportObject final : Object {
  explicit ReportObject(player::Report r) : report(std::move(r)), json(player::to_json(report)) {}
  const player::Report report;
  const std::string json;
};

tributary_entry entry_of(const player::ReportEntry& from) {
  tributary_entry entry{};
  entry.size = sizeof entry;
  entry.title = from.title.c_str();
  entry.started = from.started ? 1 : 0;
  entry.startup_ms = ms_of(from.startup);
  entry.played_ms = ms_of(from.played);
  entry.stalls = from.stalls;
  entry.stalled_ms = ms_of(from.stalled);
  entry.gap_ms = ms_of(from.gap);
  entry.played_bytes = from.played_bytes.count();
  entry.unused_bytes = from.unused.count();
  entry.rebuffering_ratio = from.rebuffering_ratio();
  entry.offload_ratio = from.offload_ratio();
  return entry;
}

template <class F>
int with_report(const tributary_report* handle, F body) {
  return with<ReportObject>(handle, "report",
                            [&](ReportObject& object) -> int { return body(object); });
}

// `to` turns an entry into what `out` points to.
template <class T, class To>
int fill(const player::ReportEntry& entry, T* out, const char* type, To to) {
  const int checked = check_size(out, type);
  if (checked < 0) return checked;
  write_struct(to(entry), out);
  return TRIBUTARY_OK;
}

tributary_ledger ledger_of_entry(const player::ReportEntry& entry) {
  return ledger_of(entry.bytes);
}

template <class T, class To>
int fill_track(const tributary_report* handle, std::size_t track, T* out, const char* type, To to) {
  return with_report(handle, [&](const ReportObject& object) -> int {
    const auto& tracks = object.report.tracks;
    if (track >= tracks.size()) return no_such("track", track, tracks.size());
    return fill(tracks[track], out, type, to);
  });
}

}  // namespace

extern "C" {

int tributary_client_report(tributary_client* client, tributary_report** report) {
  return with_client(client, [&](ClientObject& object) -> int {
    const int cleared = clear<tributary_report*>(report, nullptr, "report");
    if (cleared < 0) return cleared;
    *report = give_out<tributary_report>(std::make_shared<ReportObject>(object.player().report()));
    return TRIBUTARY_OK;
  });
}

int tributary_report_free(tributary_report* report) {
  return free_handle<ReportObject>(report, "report");
}

int tributary_report_total(tributary_report* report, tributary_entry* out) {
  return with_report(report, [&](const ReportObject& object) -> int {
    return fill(object.report.total, out, "tributary_entry", entry_of);
  });
}

int tributary_report_total_ledger(tributary_report* report, tributary_ledger* out) {
  return with_report(report, [&](const ReportObject& object) -> int {
    return fill(object.report.total, out, "tributary_ledger", ledger_of_entry);
  });
}

int tributary_report_track(tributary_report* report, size_t track, tributary_entry* out) {
  return fill_track(report, track, out, "tributary_entry", entry_of);
}

int tributary_report_track_ledger(tributary_report* report, size_t track, tributary_ledger* out) {
  return fill_track(report, track, out, "tributary_ledger", ledger_of_entry);
}

int tributary_report_json(tributary_report* report, const char** json) {
  return with_report(report, [&](const ReportObject& object) -> int {
    return clear(json, object.json.c_str(), "json");
  });
}
}
