#include "engine/sim/links.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::sim {
namespace {

// Stands for "unlimited", small enough that the sum over 10,000 flows fits.
constexpr std::int64_t kFastest = 100'000'000'000;
constexpr std::int64_t kScale = 8'000'000;  // bits x microseconds per second, of one byte
constexpr std::int64_t kSegmentBits = 1460 * 8;

std::int64_t bits(BitRate rate) { return std::min(rate.bits_per_second(), kFastest); }

std::int64_t goodput(BitRate rate, std::int32_t loss_permille) {
  return bits(rate) / 1000 * (1000 - loss_permille);
}

std::int64_t square_root(std::int64_t n) {
  std::int64_t x = n;
  for (std::int64_t y = (x + 1) / 2; y < x; y = (x + n / x) / 2) x = y;
  return x;
}

}  // namespace

Links::Flow& Links::flow(FlowId id) {
  Flow* f = flows_.find(id);
  TRIBUTARY_CHECK(f != nullptr);
  return *f;
}

HostId Links::add_host(const AccessLink& link) {
  TRIBUTARY_CHECK(link.loss_permille >= 0 && link.loss_permille <= 500);
  Host host;
  host.link = link;
  host.up = goodput(link.up, link.loss_permille);
  host.down = goodput(link.down, link.loss_permille);
  hosts_.push_back(std::move(host));
  return HostId(static_cast<std::int32_t>(hosts_.size()) - 1);
}

void Links::set_rates(HostId id, BitRate up, BitRate down) {
  Host& host = at(id);
  host.link.up = up;
  host.link.down = down;
  host.up = goodput(up, host.link.loss_permille);
  host.down = goodput(down, host.link.loss_permille);
  mark(id);
  share_uplink(host);
  refill_marked();
}

void Links::set_rtt(HostId a, HostId b, Duration rtt) { rtts_[std::minmax(a, b)] = rtt; }

Duration Links::rtt(HostId a, HostId b) const {
  const AccessLink& la = at(a).link;
  const AccessLink& lb = at(b).link;
  const auto found = rtts_.empty() ? rtts_.end() : rtts_.find(std::minmax(a, b));
  const Duration base = found != rtts_.end() ? found->second : la.half_rtt + lb.half_rtt;
  // A lost segment comes one round trip later: the mean over all segments.
  return base + base * (la.loss_permille + lb.loss_permille) / 1000;
}

// rate <= MSS / RTT x 1.22 / sqrt(p)
std::int64_t Links::loss_cap(HostId from, HostId to) const {
  const std::int64_t permille = at(from).link.loss_permille + at(to).link.loss_permille;
  const std::int64_t rtt_us = std::max<std::int64_t>(rtt(from, to).count(), 1);
  if (permille == 0) return kFastest;
  const std::int64_t inverse_root_milli = square_root(1'000'000'000 / permille);
  return std::min(kFastest, kSegmentBits * 1220 * inverse_root_milli / rtt_us);
}

FlowId Links::open(HostId from, HostId to, std::uint64_t user, BitRate cap) {
  Flow f;
  f.from = from;
  f.to = to;
  f.user = user;
  f.cap = std::min(bits(cap), loss_cap(from, to));
  return flows_.emplace(std::move(f));
}

void Links::set_cap(FlowId id, BitRate cap) {
  Flow& f = flow(id);
  f.cap = std::min(bits(cap), loss_cap(f.from, f.to));
  if (f.queue.empty()) return;
  share_uplink(at(f.from));
  refill_marked();
}

void Links::push(FlowId id, Bytes size) {
  TRIBUTARY_CHECK(size > 0_B);
  Flow& f = flow(id);
  f.queue.push_back(size);
  if (f.queue.size() > 1) return;
  f.remaining = size.count() * kScale;
  f.since = queue_.now();
  activate(id);
}

Bytes Links::close(FlowId id) {
  Flow& f = flow(id);
  Bytes left;
  if (!f.queue.empty()) {
    settle(f);
    left = f.queue.front() - Bytes((f.remaining + kScale - 1) / kScale);
    at(f.from).sent += left;
    at(f.to).received += left;
    deactivate(id);
  }
  flows_.erase(id);
  return left;
}

Links::Finished Links::finish(const Event& event) {
  const FlowId id{event.id};
  Flow& f = flow(id);
  f.event = kNoEvent;
  const Finished done{id, f.user, f.queue.front()};
  at(f.from).sent += done.size;
  at(f.to).received += done.size;
  if (f.queue.size() == 1) {
    deactivate(id);
    f.queue.pop_front();
    return done;
  }
  f.queue.pop_front();
  f.remaining = f.queue.front().count() * kScale;
  f.since = queue_.now();
  plan(id, f);
  return done;
}

BitRate Links::rate(FlowId id) const {
  const Flow* f = flows_.find(id);
  return f == nullptr || f->queue.empty() ? BitRate() : BitRate(f->rate);
}

void Links::activate(FlowId id) {
  Flow& f = flow(id);
  Host& from = at(f.from);
  Host& to = at(f.to);
  f.out_place = static_cast<std::uint32_t>(from.out.size());
  f.in_place = static_cast<std::uint32_t>(to.in.size());
  from.out.push_back(id);
  to.in.push_back(id);
  f.limit = 0;
  f.rate = 0;
  mark(f.to);
  share_uplink(from);
  refill_marked();
}

void Links::deactivate(FlowId id) {
  Flow& f = flow(id);
  queue_.cancel(f.event);
  f.event = kNoEvent;
  Host& from = at(f.from);
  Host& to = at(f.to);
  const FlowId last_out = from.out.back();
  from.out[f.out_place] = last_out;
  flow(last_out).out_place = f.out_place;
  from.out.pop_back();
  const FlowId last_in = to.in.back();
  to.in[f.in_place] = last_in;
  flow(last_in).in_place = f.in_place;
  to.in.pop_back();
  to.limits_sum -= f.limit;
  mark(f.to);
  share_uplink(from);
  refill_marked();
}

void Links::share_uplink(Host& host) {
  if (host.out.empty()) return;
  const std::int64_t share = host.up / static_cast<std::int64_t>(host.out.size());
  for (FlowId id : host.out) {
    Flow& f = flow(id);
    set_limit(id, f, std::min(share, f.cap));
  }
}

// A downlink with room for all its flows' limits needs no filling: only the changed flow is
// touched.
void Links::set_limit(FlowId id, Flow& f, std::int64_t limit) {
  if (f.limit == limit) return;
  Host& to = at(f.to);
  const bool was_full = to.limits_sum > to.down;
  to.limits_sum += limit - f.limit;
  f.limit = limit;
  if (was_full || to.limits_sum > to.down) {
    mark(f.to);
  } else {
    set_rate(id, f, limit);
  }
}

void Links::mark(HostId id) {
  if (at(id).dirty) return;
  at(id).dirty = true;
  marked_.push_back(id);
}

void Links::refill_marked() {
  for (HostId id : marked_) {
    refill(at(id));
    at(id).dirty = false;
  }
  marked_.clear();
}

void Links::refill(Host& host) {
  const std::int64_t level = host.limits_sum <= host.down ? kFastest : fill_level(host);
  for (FlowId id : host.in) {
    Flow& f = flow(id);
    set_rate(id, f, std::min(f.limit, level));
  }
}

// Max-min on one link: flows limited below the level leave their rest to the others.
std::int64_t Links::fill_level(const Host& host) const {
  std::int64_t level = host.down / static_cast<std::int64_t>(host.in.size());
  while (true) {
    std::int64_t rest = host.down;
    std::int64_t wanting = 0;
    for (FlowId id : host.in) {
      const std::int64_t limit = flows_.find(id)->limit;
      if (limit <= level) {
        rest -= limit;
      } else {
        ++wanting;
      }
    }
    if (wanting == 0) return level;
    const std::int64_t next = rest / wanting;
    if (next <= level) return level;
    level = next;
  }
}

void Links::set_rate(FlowId id, Flow& f, std::int64_t rate) {
  if (f.rate == rate && (f.event != kNoEvent || rate == 0)) return;
  settle(f);
  f.rate = rate;
  plan(id, f);
}

void Links::settle(Flow& f) {
  const TimePoint now = queue_.now();
  f.remaining = std::max<std::int64_t>(0, f.remaining - f.rate * (now - f.since).count());
  f.since = now;
}

void Links::plan(FlowId id, Flow& f) {
  if (f.rate == 0) {
    queue_.cancel(f.event);
    f.event = kNoEvent;
    return;
  }
  const TimePoint done = f.since + Duration((f.remaining + f.rate - 1) / f.rate);
  if (!queue_.move(f.event, done)) {
    f.event = queue_.schedule(done, {Owner::kLinks, 0, f.to, id.value()});
  }
}

}  // namespace tributary::sim
