#include "demo/loadtest/live_test.h"

#include <algorithm>
#include <utility>

#include "engine/base/random.h"

namespace tributary::demo {
namespace {

// How often the time is looked at where no event is due: as the eye sees progress.
constexpr Duration kLook = 100ms;
// A node's share of the store's usual memory; what is beyond is on disk.
constexpr Bytes kNodeMemory = 8_MiB;
constexpr Duration kFarewell = 5s;

}  // namespace

LiveTest::LiveTest(const LiveStage& stage, const core::Policy& policy, std::uint64_t seed)
    : stage_(stage),
      policy_(policy),
      seed_(seed),
      people_(stage.plan.listeners.size()),
      books_(stage.setup.warm_up, stage.setup.bin),
      timer_(stage.loop) {
  for (const sim::LinkClass& link : stage.plan.links) {
    before_.report.by_class.emplace_back().name = link.name;
  }
  for (const sim::LoadFault& fault : stage.setup.faults) {
    faults_.push_back({fault.from, {fault.kind, true}});
    faults_.push_back({fault.until, {fault.kind, false}});
  }
  std::stable_sort(faults_.begin(), faults_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
}

LiveTest::~LiveTest() = default;

Result<void> LiveTest::run(const Progress& progress, const std::atomic<bool>& stop) {
  constexpr Duration kNoLimit = std::chrono::hours(24 * 365);
  for (const auto& fault : faults_) {
    // The test of the policy before may have ended while it lasted.
    if (auto up = stage_.deployment.set_down(fault.second.first, false); !up) return up;
  }
  start_ = stage_.loop.now();
  egress_before_ = stage_.deployment.egress();
  announces_before_ = stage_.deployment.announces();
  timer_.start(stage_.loop.now(), [&] { go_on(progress, stop); });
  stage_.loop.run_until([this] { return over_; }, kNoLimit);
  if (failed_) return *failed_;
  return {};
}

void LiveTest::go_on(const Progress& progress, const std::atomic<bool>& stop) {
  auto done = catch_up();
  if (!done) failed_ = done.error();
  end_ = std::min(now(), TimePoint(stage_.plan.length));
  use_.look(end_, online_);
  sweep();
  progress(end_ - TimePoint(), stage_.plan.length);
  over_ = failed_ || stop || now() >= TimePoint(stage_.plan.length);
  if (over_) return;
  const auto& events = stage_.plan.events;
  TimePoint next = std::min(now() + kLook, books_.bin_end());
  if (next_event_ < events.size()) next = std::min(next, events[next_event_].at);
  timer_.start(next + (start_ - TimePoint()), [&progress, &stop, this] { go_on(progress, stop); });
}

// Does all that is due, in the order of its times.
Result<void> LiveTest::catch_up() {
  const auto& events = stage_.plan.events;
  const TimePoint until = std::min(now(), TimePoint(stage_.plan.length));
  while (true) {
    const TimePoint event = next_event_ < events.size() ? events[next_event_].at : kNever;
    const TimePoint fault = next_fault_ < faults_.size() ? faults_[next_fault_].first : kNever;
    const TimePoint next = std::min({event, fault, books_.bin_end()});
    if (next > until) return {};
    Result<void> done;
    if (next == fault) {
      const auto& [what, down] = faults_[next_fault_++].second;
      done = stage_.deployment.set_down(what, down);
    } else if (next == event) {
      done = apply(events[next_event_++]);
    } else {
      books_.end_bin(sum().report.received, online_, [this] { return totals(); });
    }
    if (!done) return done;
  }
}

Result<void> LiveTest::apply(const sim::LoadEvent& event) {
  using Action = sim::LoadEvent::Action;
  if (event.action == Action::kJoin) return join(event.listener);
  if (event.action == Action::kLink) {
    set_link(event.listener, event.part);
    return {};
  }
  LiveNode* node = people_[static_cast<std::size_t>(event.listener)].node.get();
  if (node == nullptr) return {};
  if (event.action == Action::kLeave) {
    leave(event.listener);
  } else {
    node->wish(event.action, event.track);
  }
  return {};
}

Result<void> LiveTest::join(std::int32_t listener) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  if (person.node) return {};
  // Who is back before his farewell is over needs his cache.
  std::erase_if(leaving_, [=](const Leaving& leaving) { return leaving.listener == listener; });
  TRIBUTARY_TRY(node, LiveNode::create(stage_.loop, stage_.tracks, options_of(listener)));
  person.node = std::move(node);
  person.joined = now();
  ++person.sessions;
  ++online_;
  return {};
}

LiveNodeOptions LiveTest::options_of(std::int32_t listener) const {
  const auto index = static_cast<std::size_t>(listener);
  const sim::LoadListener& who = stage_.plan.listeners[index];
  const sim::LinkClass& link = stage_.plan.links[class_of(index)];
  const std::string name = std::string(policy_.name) + "-" + std::to_string(listener);
  LiveNodeOptions options;
  options.host.policy = policy_;
  options.host.cache_directory = stage_.caches + "/" + name;
  if (stage_.setup.cache < sim::LoadSetup().cache) options.host.cache_limit = stage_.setup.cache;
  options.host.memory_limit = kNodeMemory;
  if (link.reachable) options.host.listen = stage_.listen;
  options.host.overlay = stage_.setup.overlay;
  options.host.rank_addresses = stage_.setup.near_first;
  const player::RateLimits limits = limits_of(listener);
  options.host.up = limits.up;
  options.host.down = limits.down;
  options.host.upload = link.upload && link.conduct != sim::Conduct::kFreeRider;
  options.host.seed = Random::mix(seed_ ^ Random::mix(index * 1000 + 1));
  options.shares = stage_.setup.shares;
  options.content = stage_.content;
  if (people_[index].sessions == 0) options.cached = who.cached;
  return options;
}

player::RateLimits LiveTest::limits_of(std::int32_t listener) const {
  const auto index = static_cast<std::size_t>(listener);
  const sim::LinkClass& link = stage_.plan.links[class_of(index)];
  const sim::AccessLink now = sim::part_of(link.link, people_[index].link_part);
  return {.up = now.up, .down = now.down};
}

void LiveTest::leave(std::int32_t listener) {
  const auto index = static_cast<std::size_t>(listener);
  Person& person = people_[index];
  person.node->stop();
  add(before_, index);
  for (sim::Play play : person.node->plays()) {
    play.requested -= start_ - TimePoint();
    person.plays.push_back(play);
  }
  person.uploaded += person.node->links().payload_out;
  const TimePoint counted = std::max(person.joined, TimePoint(stage_.setup.warm_up));
  person.online += std::max(end_ - counted, Duration::zero());
  --online_;
  leaving_.push_back({listener, std::move(person.node)});
  leaving_.back().node->close([done = leaving_.back().done] { *done = true; });
}

void LiveTest::set_link(std::int32_t listener, std::int64_t part) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  person.link_part = part;
  if (person.node) person.node->set_limits(limits_of(listener));
}

// Those who have said goodbye go.
void LiveTest::sweep() {
  std::erase_if(leaving_, [](const Leaving& leaving) { return *leaving.done; });
}

std::size_t LiveTest::class_of(std::size_t listener) const {
  return static_cast<std::size_t>(stage_.plan.listeners[listener].link);
}

void LiveTest::add(Sum& sum, std::size_t listener) const {
  const LiveNode& node = *people_[listener].node;
  sim::LoadReport& report = sum.report;
  sim::LoadClass& of_class = report.by_class[class_of(listener)];
  const Bytes uploaded = node.links().payload_out;
  report.ledger += node.ledger();
  report.kept += node.meter().kept();
  report.duplicate += node.meter().duplicate();
  report.corrupt += node.meter().corrupt();
  report.messages += node.meter().messages();
  report.message_bytes += node.links().overhead_out;
  report.search_bytes += node.meter().search_bytes();
  report.uploaded += uploaded;
  of_class.uploaded += uploaded;
  for (const auto& [track, bytes] : node.received()) {
    sum.received[track] += bytes;
    report.received += bytes;
    of_class.received += bytes;
  }
}

LiveTest::Sum LiveTest::sum() const {
  Sum all = before_;
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (people_[i].node) add(all, i);
  }
  return all;
}

// The own origin's count, or else the nodes'.
sim::EgressMeter LiveTest::egress(const core::ByteCounts& ledger) const {
  sim::EgressMeter meter;
  if (!stage_.deployment.own_edge()) {
    meter.bytes = ledger.cdn();
    meter.requests = ledger.cdn_requests;
    return meter;
  }
  const sim::EgressMeter now = stage_.deployment.egress();
  meter.bytes = now.bytes - egress_before_.bytes;
  meter.requests = now.requests - egress_before_.requests;
  meter.failures = now.failures - egress_before_.failures;
  meter.cut_off = std::max(meter.bytes - ledger.cdn(), Bytes());
  return meter;
}

sim::LoadReport LiveTest::totals() const {
  Sum all = sum();
  sim::LoadReport totals = std::move(all.report);
  for (const auto& [track, bytes] : all.received) {
    sim::add_by_popularity(totals, stage_.plan, track, bytes);
  }
  totals.cdn = egress(totals.ledger);
  totals.announces = stage_.deployment.announces() - announces_before_;
  for (const Person& person : people_) {
    const Bytes now = person.node ? person.node->links().payload_out : Bytes();
    totals.uploads.push_back(person.uploaded + now);
  }
  return totals;
}

sim::LoadReport LiveTest::report() {
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (people_[i].node) leave(static_cast<std::int32_t>(i));
  }
  sim::LoadReport totals = this->totals();
  totals.machine = use_.use();
  for (std::size_t i = 0; i < people_.size(); ++i) {
    sim::LoadClass& of_class = totals.by_class[class_of(i)];
    ++of_class.listeners;
    of_class.online += people_[i].online;
    for (const sim::Play& play : people_[i].plays) books_.count(totals, of_class, play);
  }
  totals.policy = policy_.name;
  totals.seed = seed_;
  totals.listeners = static_cast<std::int32_t>(people_.size());
  stage_.loop.run_until(
      [this] {
        sweep();
        return leaving_.empty();
      },
      kFarewell);
  return books_.close(std::move(totals), end_);
}

}  // namespace tributary::demo
