#include "engine/sim/links.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {
namespace {

// Stands for "unlimited", small enough that the sum over 10,000 flows fits.
constexpr std::int64_t kFastest = 100'000'000'000;
constexpr std::int64_t kScale = 8'000'000;  // bits x microseconds per second, of one byte
constexpr std::int64_t kSegmentBits = 1460 * 8;
// A downlink that slows a flow down by less than this part of its rate does not have the sender's
// other flows take what is left over.
constexpr std::int64_t kCrumb = 256;

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
  host.up_level = host.down_level = kFastest;
  hosts_.push_back(std::move(host));
  return HostId(static_cast<std::int32_t>(hosts_.size()) - 1);
}

void Links::set_rates(HostId id, BitRate up, BitRate down) {
  Host& host = at(id);
  host.link.up = up;
  host.link.down = down;
  host.up = goodput(up, host.link.loss_permille);
  host.down = goodput(down, host.link.loss_permille);
  mark_up(id);
  mark_down(id);
  fill_marked();
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
  mark_up(f.from);
  fill_marked();
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
  f.bound = to.down_level;
  mark_up(f.from);
  fill_marked();
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
  if (to.down_level < kFastest) mark_down(f.to);
  mark_up(f.from);
  fill_marked();
}

void Links::mark_up(HostId id) {
  if (std::exchange(at(id).up_dirty, true)) return;
  up_marked_.push_back(id);
}

void Links::mark_down(HostId id) {
  if (std::exchange(at(id).down_dirty, true)) return;
  down_marked_.push_back(id);
}

// Uplinks first: each downlink is then filled once for all senders that changed.
void Links::fill_marked() {
  while (!up_marked_.empty() || !down_marked_.empty()) {
    auto& marked = up_marked_.empty() ? down_marked_ : up_marked_;
    Host& host = at(marked.back());
    marked.pop_back();
    if (&marked == &up_marked_) {
      host.up_dirty = false;
      fill_up(host);
    } else {
      host.down_dirty = false;
      fill_down(host);
    }
  }
}

void Links::fill_up(Host& host) {
  std::int64_t sum = 0;
  for (FlowId id : host.out) {
    Flow& f = flow(id);
    f.counted = std::min(f.bound, f.cap);
    sum += f.counted;
  }
  host.up_level = host.up >= kFastest || sum <= host.up
                      ? kFastest
                      : level(host.up, host.out, [](const Flow& f) { return f.counted; });
  for (FlowId id : host.out) {
    Flow& f = flow(id);
    set_limit(id, f, std::min(host.up_level, f.cap));
  }
}

// A downlink with room for all its flows' limits needs no filling: only the changed flow is
// touched. Nor does one where the flow had more than its level before, and has still.
void Links::set_limit(FlowId id, Flow& f, std::int64_t limit) {
  if (f.limit == limit && (f.event != kNoEvent || limit == 0)) return;
  Host& to = at(f.to);
  const bool was_full = to.limits_sum > to.down;
  const bool was_above = f.limit >= to.down_level && f.rate > 0;
  to.limits_sum += limit - f.limit;
  f.limit = limit;
  const bool full = to.limits_sum > to.down;
  if (!was_full && !full) return set_rate(id, f, limit);
  if (!was_full || !full || !was_above || limit < to.down_level) mark_down(f.to);
}

void Links::fill_down(Host& host) {
  host.down_level = host.limits_sum <= host.down
                        ? kFastest
                        : level(host.down, host.in, [](const Flow& f) { return f.limit; });
  for (FlowId id : host.in) {
    Flow& f = flow(id);
    f.bound = host.down_level;
    set_rate(id, f, std::min(f.limit, f.bound));
    if (concerns_sender(f)) mark_up(f.from);
  }
}

// Whether the sender's other flows may get more, or have to get less, since its level was found.
bool Links::concerns_sender(const Flow& f) const {
  const std::int64_t sender = at(f.from).up_level;
  const std::int64_t bound = std::min(f.bound, f.cap);
  if (bound >= sender && f.counted >= sender) return false;
  if (bound > f.counted) return true;
  return sender < kFastest && bound < f.counted - f.counted / kCrumb;
}

// Flows limited below the level leave their rest to the others.
template <class LimitOf>
std::int64_t Links::level(std::int64_t capacity, const std::vector<FlowId>& flows,
                          LimitOf limit_of) const {
  std::int64_t level = capacity / static_cast<std::int64_t>(flows.size());
  while (true) {
    std::int64_t rest = capacity;
    std::int64_t wanting = 0;
    for (FlowId id : flows) {
      const std::int64_t limit = limit_of(*flows_.find(id));
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
