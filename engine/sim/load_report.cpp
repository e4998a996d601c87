#include "engine/sim/load_report.h"

#include <algorithm>

namespace tributary::sim {
namespace {

OriginBytes operator-(OriginBytes a, const OriginBytes& b) {
  for (std::size_t i = 0; i < a.by_origin.size(); ++i) a.by_origin[i] -= b.by_origin[i];
  return a;
}

core::ByteCounts operator-(core::ByteCounts a, const core::ByteCounts& b) {
  a.cdn_by_reason -= b.cdn_by_reason;
  a.peers -= b.peers;
  a.cache -= b.cache;
  a.uploaded -= b.uploaded;
  a.good -= b.good;
  a.duplicate -= b.duplicate;
  a.corrupt -= b.corrupt;
  a.cdn_duplicate -= b.cdn_duplicate;
  a.cdn_corrupt -= b.cdn_corrupt;
  a.cdn_requests -= b.cdn_requests;
  return a;
}

EgressMeter operator-(EgressMeter a, const EgressMeter& b) {
  a.bytes -= b.bytes;
  a.delivered -= b.delivered;
  a.cut_off -= b.cut_off;
  a.requests -= b.requests;
  a.connections -= b.connections;
  a.failures -= b.failures;
  return a;
}

// What is added up over a run; plays are counted after the warm-up only.
void subtract(LoadFigures& figures, const LoadFigures& warm_up) {
  figures.received = figures.received - warm_up.received;
  figures.uploaded -= warm_up.uploaded;
}

// What was counted up to the end of the warm-up goes.
void subtract(LoadReport& report, const LoadReport& warm_up) {
  subtract(static_cast<LoadFigures&>(report), static_cast<const LoadFigures&>(warm_up));
  for (std::size_t i = 0; i < report.by_class.size(); ++i) {
    subtract(static_cast<LoadFigures&>(report.by_class[i]), warm_up.by_class[i]);
  }
  report.kept = report.kept - warm_up.kept;
  report.duplicate = report.duplicate - warm_up.duplicate;
  report.corrupt = report.corrupt - warm_up.corrupt;
  report.from_operator -= warm_up.from_operator;
  report.ledger = report.ledger - warm_up.ledger;
  report.cdn = report.cdn - warm_up.cdn;
  for (std::size_t i = 0; i < report.by_popularity.size(); ++i) {
    report.by_popularity[i] = report.by_popularity[i] - warm_up.by_popularity[i];
  }
  for (std::size_t i = 0; i < report.uploads.size(); ++i) report.uploads[i] -= warm_up.uploads[i];
  report.messages -= warm_up.messages;
  report.message_bytes -= warm_up.message_bytes;
  report.search_bytes -= warm_up.search_bytes;
  report.announces -= warm_up.announces;
}

void add(LoadFigures& figures, const Play& play) {
  ++figures.plays;
  figures.played += play.played;
  figures.stalls += play.stalls;
  figures.stalled += play.stalled;
  figures.heard += play.heard;
  if (play.stalls > 0) ++figures.stalled_plays;
  if (!play.startup) {
    ++figures.unheard;
  } else if (!play.gap) {
    (play.from_cache ? figures.cached_startups : figures.startups).push_back(*play.startup);
  }
}

void sort_startups(LoadFigures& figures) {
  std::sort(figures.startups.begin(), figures.startups.end());
  std::sort(figures.cached_startups.begin(), figures.cached_startups.end());
}

std::int64_t part_in_millionths(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : mul_div(part, kWhole, whole);
}

}  // namespace

std::int64_t LoadReport::offload() const {
  return part_in_millionths(received[Origin::kPeers].count(), received.total().count());
}

std::int64_t LoadReport::fairness() const {
  __extension__ using Wide = unsigned __int128;  // NOLINT
  Wide sum = 0;
  Wide squares = 0;
  for (Bytes upload : uploads) {
    const auto kib = static_cast<Wide>(upload.count() / 1024);
    sum += kib;
    squares += kib * kib;
  }
  if (squares == 0) return 0;
  return static_cast<std::int64_t>(sum * sum * kWhole / (squares * uploads.size()));
}

void LoadBooks::end_bin(const OriginBytes& received, std::int32_t online,
                        const std::function<LoadReport()>& totals) {
  bins_.push_back({received - binned_, online});
  binned_ = received;
  const bool warm = warm_up_ > Duration::zero() && bin_end_ >= TimePoint(warm_up_);
  if (warm && !at_warm_up_) at_warm_up_ = totals();
  bin_end_ += bin_;
}

void LoadBooks::count(LoadReport& totals, LoadClass& of_class, const Play& play) const {
  if (play.requested < TimePoint(warm_up_)) return;
  add(totals, play);
  add(of_class, play);
}

LoadReport LoadBooks::close(LoadReport totals, TimePoint now) const {
  if (at_warm_up_) subtract(totals, *at_warm_up_);
  sort_startups(totals);
  for (LoadClass& of_class : totals.by_class) sort_startups(of_class);
  totals.measured = std::max(now - TimePoint(warm_up_), Duration::zero());
  totals.bin = bin_;
  totals.bins = bins_;
  return totals;
}

void add_by_popularity(LoadReport& totals, const LoadPlan& plan, std::int32_t track,
                       const OriginBytes& received) {
  const std::int64_t rank = plan.tracks[static_cast<std::size_t>(track)].rank;
  const auto tracks = static_cast<std::int64_t>(plan.tracks.size());
  totals.by_popularity[static_cast<std::size_t>(rank * 10 / tracks)] += received;
}

}  // namespace tributary::sim
