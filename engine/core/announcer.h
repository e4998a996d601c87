// When to announce one torrent to which tracker (BEP 3, BEP 12).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/events.h"

namespace tributary::core {

struct AnnouncerParams {
  Duration first_retry = 5s;  // doubles with each failure in a row
  Duration max_retry = 30min;
  Duration default_interval = 30min;    // when the tracker names none; BEP 3's custom
  Duration default_min_interval = 60s;  // the same, for early announces
  Duration lowest_interval = 10s;       // whatever a tracker says, no more often
  Duration highest_interval = std::chrono::hours(24);  // nor less often
  std::int32_t want = 50;  // peers asked for; what trackers give at most by custom
  // The one that answers is asked until it fails, whatever its tier: a private torrent's (BEP 27).
  bool stays = false;
};

// What to put into an Announce; the caller adds the torrent and the byte counts.
struct AnnounceTask {
  std::string tracker;
  AnnounceEvent event = AnnounceEvent::kNone;
  std::int32_t want = 0;
  friend bool operator==(const AnnounceTask&, const AnnounceTask&) = default;
};

// Tracks the trackers in their tiers, what each has been told, and when the next announce is due.
// One announce is under way at a time, and every one is answered by on_reply or on_failure, the
// stopped ones aside. Each goes to the first tracker, tier by tier, that is not in its back-off
// (BEP 12); one that answers moves to the front of its tier, or of all where it stays; one that
// fails is followed by the next at once. The first announce is due immediately.
class Announcer {
 public:
  // Trackers beyond this many, empty URLs and repeated ones are left out.
  static constexpr std::size_t kMaxTrackers = 64;

  // Shuffles each tier once (BEP 12).
  Announcer(const std::vector<std::vector<std::string>>& tiers, Random random,
            const AnnouncerParams& params = {});

  // The announce to make now, if one is due. Call until it returns nullopt.
  std::optional<AnnounceTask> poll(TimePoint now);
  // When poll may next have something; kNever while an answer is awaited or nothing is left. The
  // clock's origin stands for "at once".
  TimePoint next_deadline() const;

  // The tracker answered. Zero intervals mean that it named none. Unexpected answers are ignored.
  void on_reply(std::string_view tracker, Duration interval, Duration min_interval, TimePoint now);
  void on_failure(std::string_view tracker, TimePoint now);

  // While true, announces are made every min interval rather than every interval.
  void set_need_peers(bool need) { need_peers_ = need; }
  // The download is complete: due at once. Not to be called when it was complete from the start.
  void on_completed();
  // Farewell to every tracker that may list us; poll then gives those and nothing more.
  void stop();

  // The trackers in the order in which they are tried now.
  std::vector<std::string> order() const;

 private:
  struct Tracker {
    std::string url;
    std::size_t tier = 0;
    int failures = 0;  // in a row
    TimePoint retry_at{};
    bool told_started = false;  // it acknowledged our start
    bool told_stopped = false;
    bool asked = false;  // an announce was sent: it may list us even if no answer came
  };

  Tracker* find(std::string_view url);
  Tracker* in_flight();
  TimePoint due() const;
  AnnounceEvent event_for(const Tracker& tracker) const;
  std::optional<AnnounceTask> poll_stopped();
  void promote(const Tracker& tracker);
  void note_retries();

  AnnouncerParams params_;
  std::vector<Tracker> trackers_;  // tier by tier
  std::string in_flight_;          // URL; empty when none
  AnnounceEvent in_flight_event_ = AnnounceEvent::kNone;
  TimePoint regular_at_{};       // the interval has passed
  TimePoint early_at_{};         // the min interval has passed
  TimePoint retry_at_ = kNever;  // the first of the trackers'
  bool need_peers_ = false;
  bool completed_ = false;  // and some tracker is still to be told
  bool stopping_ = false;
};

}  // namespace tributary::core
