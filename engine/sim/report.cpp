#include "engine/sim/report.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace tributary::sim {
namespace {

void add_play(ScenarioReport& report, const Play& play) {
  report.stalls += play.stalls;
  report.stalled += play.stalled;
  report.heard += play.heard;
  if (play.gap) {
    report.gaps.push_back(*play.gap);
  } else if (play.startup) {
    report.startups.push_back(*play.startup);
  }
  report.seek_waits.insert(report.seek_waits.end(), play.seek_waits.begin(), play.seek_waits.end());
}

void add_listener(ScenarioReport& report, const World& world, HostId host) {
  ListenerReport entry;
  entry.host = host;
  entry.plays = world.find_listener(host)->plays();
  entry.done = world.find_listener(host)->done();
  entry.meter = world.meter(host);
  entry.ledger = world.ledger(host);
  report.from_peers += entry.meter.from_peers;
  report.from_cdn += entry.meter.from_cdn;
  report.ledger += entry.ledger;
  if (!entry.done && world.online(host)) ++report.unfinished;
  for (const Play& play : entry.plays) add_play(report, play);
  report.listeners.push_back(std::move(entry));
}

double seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }
double mebibytes(Bytes b) { return static_cast<double>(b.count()) / 1048576.0; }

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, pattern, args...);
  return buffer;
}

}  // namespace

ScenarioReport make_report(std::string name, World& world) {
  ScenarioReport report;
  report.name = std::move(name);
  report.seed = world.seed_number();
  for (HostId host : world.nodes()) {
    if (world.find_listener(host) != nullptr) add_listener(report, world, host);
  }
  for (auto* list : {&report.startups, &report.seek_waits, &report.gaps}) {
    std::sort(list->begin(), list->end());
  }
  report.cdn = std::as_const(world).cdn().total();
  report.lies = world.lies();
  report.digest = world.digest().value();
  report.events = world.events();
  world.check_books();
  return report;
}

std::int32_t ScenarioReport::offload_permille() const {
  const Bytes all = from_peers + from_cdn;
  if (all == 0_B) return 0;
  return static_cast<std::int32_t>(mul_div(from_peers.count(), 1000, all.count()));
}

Duration ScenarioReport::startup(int q) const {
  if (startups.empty()) return Duration::zero();
  return startups[(startups.size() - 1) * static_cast<std::size_t>(q) / 100];
}

std::string ScenarioReport::line() const {
  std::string text = format(
      "%s: offload %.1f %%, stalls %d (%.1f s), startup p50 %.0f max %.0f ms, CDN %.2f MiB in %lld "
      "requests (",
      name.c_str(), offload_permille() / 10.0, stalls, seconds(stalled),
      seconds(startup(50)) * 1000, seconds(startup(100)) * 1000, mebibytes(from_cdn),
      static_cast<long long>(cdn.requests));
  for (core::CdnReason reason : core::kCdnReasons) {
    const Bytes bytes = ledger.cdn_by_reason[reason];
    if (bytes == 0_B) continue;
    text += format("%s %.2f ", std::string(to_string(reason)).c_str(), mebibytes(bytes));
  }
  if (text.back() == ' ') text.pop_back();
  text += format("), peers %.2f MiB, duplicate %.2f, corrupt %.2f, unfinished %d, seed %llu",
                 mebibytes(from_peers), mebibytes(ledger.duplicate), mebibytes(ledger.corrupt),
                 unfinished, static_cast<unsigned long long>(seed));
  return text;
}

}  // namespace tributary::sim
