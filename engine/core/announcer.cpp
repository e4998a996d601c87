#include "engine/core/announcer.h"

#include <algorithm>

namespace tributary::core {
namespace {

void shuffle(std::vector<std::string>& tier, Random& random) {
  for (std::size_t i = tier.size(); i > 1; --i) std::swap(tier[i - 1], tier[random.below(i)]);
}

}  // namespace

Announcer::Announcer(const std::vector<std::vector<std::string>>& tiers, Random random,
                     const AnnouncerParams& params)
    : params_(params) {
  for (std::size_t t = 0; t < tiers.size(); ++t) {
    std::vector<std::string> tier;
    for (const std::string& url : tiers[t]) {
      const bool listed = find(url) || std::find(tier.begin(), tier.end(), url) != tier.end();
      if (trackers_.size() + tier.size() == kMaxTrackers) break;
      if (!url.empty() && !listed) tier.push_back(url);
    }
    shuffle(tier, random);
    for (std::string& url : tier) {
      trackers_.emplace_back();
      trackers_.back().url = std::move(url);
      trackers_.back().tier = t;
    }
  }
  note_retries();
}

void Announcer::note_retries() {
  retry_at_ = kNever;
  for (const Tracker& tracker : trackers_) retry_at_ = std::min(retry_at_, tracker.retry_at);
}

std::optional<AnnounceTask> Announcer::poll(TimePoint now) {
  if (stopping_) return poll_stopped();
  if (!in_flight_.empty() || now < due()) return std::nullopt;
  for (Tracker& tracker : trackers_) {
    if (tracker.retry_at > now) continue;
    tracker.asked = true;
    in_flight_ = tracker.url;
    in_flight_event_ = event_for(tracker);
    return AnnounceTask{tracker.url, in_flight_event_, params_.want};
  }
  return std::nullopt;
}

TimePoint Announcer::next_deadline() const {
  if (stopping_) {
    const bool left = std::any_of(trackers_.begin(), trackers_.end(),
                                  [](const Tracker& t) { return t.asked && !t.told_stopped; });
    return left ? TimePoint{} : kNever;
  }
  return in_flight_.empty() ? std::max(due(), retry_at_) : kNever;
}

void Announcer::on_reply(std::string_view url, Duration interval, Duration min_interval,
                         TimePoint now) {
  if (stopping_ || url.empty() || url != in_flight_) return;
  Tracker& tracker = *in_flight();
  in_flight_.clear();
  tracker.failures = 0;
  tracker.retry_at = TimePoint{};
  note_retries();
  tracker.told_started = true;
  if (in_flight_event_ == AnnounceEvent::kCompleted) completed_ = false;

  const auto bounded = [this](Duration given, Duration otherwise) {
    return std::clamp(given > Duration::zero() ? given : otherwise, params_.lowest_interval,
                      params_.highest_interval);
  };
  interval = bounded(interval, params_.default_interval);
  min_interval = bounded(min_interval, std::min(interval, params_.default_min_interval));
  early_at_ = now + min_interval;
  regular_at_ = now + std::max(interval, min_interval);
  promote(tracker);
}

void Announcer::on_failure(std::string_view url, TimePoint now) {
  if (stopping_ || url.empty() || url != in_flight_) return;
  Tracker& tracker = *in_flight();
  in_flight_.clear();
  Duration wait = params_.first_retry;
  for (int n = 0; n < tracker.failures && wait < params_.max_retry; ++n) wait *= 2;
  tracker.retry_at = now + std::min(wait, params_.max_retry);
  note_retries();
  ++tracker.failures;
}

void Announcer::on_completed() { completed_ = true; }

void Announcer::stop() {
  stopping_ = true;
  in_flight_.clear();
}

std::vector<std::string> Announcer::order() const {
  std::vector<std::string> urls;
  for (const Tracker& tracker : trackers_) urls.push_back(tracker.url);
  return urls;
}

Announcer::Tracker* Announcer::find(std::string_view url) {
  const auto it = std::find_if(trackers_.begin(), trackers_.end(),
                               [&](const Tracker& t) { return t.url == url; });
  return it == trackers_.end() ? nullptr : &*it;
}

Announcer::Tracker* Announcer::in_flight() { return find(in_flight_); }

TimePoint Announcer::due() const {
  if (completed_) return TimePoint{};
  return need_peers_ ? std::min(early_at_, regular_at_) : regular_at_;
}

// A tracker hears of our start first; completion is told to one that knows of it.
AnnounceEvent Announcer::event_for(const Tracker& tracker) const {
  if (!tracker.told_started) return AnnounceEvent::kStarted;
  return completed_ ? AnnounceEvent::kCompleted : AnnounceEvent::kNone;
}

std::optional<AnnounceTask> Announcer::poll_stopped() {
  for (Tracker& tracker : trackers_) {
    if (!tracker.asked || tracker.told_stopped) continue;
    tracker.told_stopped = true;
    return AnnounceTask{tracker.url, AnnounceEvent::kStopped, 0};
  }
  return std::nullopt;
}

void Announcer::promote(const Tracker& tracker) {
  const auto it = trackers_.begin() + (&tracker - trackers_.data());
  const auto front = std::find_if(
      trackers_.begin(), it, [&](const Tracker& t) { return params_.stays || t.tier == it->tier; });
  std::rotate(front, it, it + 1);
}

}  // namespace tributary::core
