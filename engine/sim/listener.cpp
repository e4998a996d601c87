#include "engine/sim/listener.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {

Listener::Listener(const Store& store, std::vector<core::TorrentId> playlist)
    : store_(store), playlist_(std::move(playlist)) {
  TRIBUTARY_CHECK(!playlist_.empty());
}

std::optional<core::TorrentId> Listener::current() const {
  if (index_ >= playlist_.size()) return std::nullopt;
  return playlist_[index_];
}

std::optional<core::TorrentId> Listener::next() const {
  if (index_ + 1 >= playlist_.size()) return std::nullopt;
  return playlist_[index_ + 1];
}

Duration Listener::position(TimePoint now) const {
  return state_ == State::kPlaying ? position_ + (now - since_) : position_;
}

// Whether so much media from the position on, or all that is left, can be played.
bool Listener::ready(Duration media) const {
  const Duration wanted = std::min(position_ + media, timeline().duration());
  return store_.playable_until(*current(), position_) >= wanted;
}

// Whether what comes next was there before, and not prefetched. REQUIRES: it is there.
bool Listener::is_cached() const {
  const auto same = [&](const Play& play) { return play.torrent == *current(); };
  if (std::count_if(plays_.begin(), plays_.end(), same) > 1) return true;
  const Bytes offset = std::min(timeline().offset_at(position_), timeline().size() - 1_B);
  const core::BlockIndex first = store_.track(*current()).layout().block_of(offset);
  return store_.origin(*current(), first) == Origin::kCache;
}

void Listener::start(TimePoint now, Duration position) {
  TRIBUTARY_CHECK(state_ == State::kIdle);
  begin_track(now, position, std::nullopt);
}

void Listener::begin_track(TimePoint now, Duration position, std::optional<TimePoint> after) {
  Play play;
  play.torrent = *current();
  play.requested = now;
  plays_.push_back(play);
  was_heard_ = false;
  gap_from_ = after;
  position_ = heard_from_ = position;
  plays_.back().from_cache = ready(kFirstFrame) && is_cached();
  if (after && ready(kFirstFrame)) {
    plays_.back().startup = Duration::zero();
    plays_.back().gap = Duration::zero();
    gap_from_.reset();
    was_heard_ = true;
    tell_timeline();
    move(now, false);
  } else {
    wait_for_start(now, position);
  }
  tell_next();
}

void Listener::wait_for_start(TimePoint now, Duration position) {
  state_ = State::kStarting;
  allowed_ = false;
  position_ = heard_from_ = position;
  wait_from_ = now;
  wake_ = kNever;
  tell(false, true);
}

void Listener::may_start(TimePoint now, core::TorrentId torrent) {
  if (state_ != State::kStarting || torrent != current()) return;
  allowed_ = true;
  try_start(now);
}

void Listener::try_start(TimePoint now) {
  if (!allowed_ || !ready(kFirstFrame)) return;
  Play& play = plays_.back();
  if (!was_heard_) {
    play.startup = now - wait_from_;
    if (gap_from_) play.gap = now - *std::exchange(gap_from_, std::nullopt);
    tell_timeline();
  } else {
    play.seek_waits.push_back(now - wait_from_);
  }
  was_heard_ = true;
  move(now, false);
}

void Listener::move(TimePoint now, bool starting) {
  state_ = State::kPlaying;
  since_ = now;
  if (std::exchange(reader_waits_, false)) {
    outputs_.push_back(core::ReaderWaits{*current(), {}});
  }
  tell(true, starting);
  plan_wake();
}

// Fixes the position where the playhead is now.
void Listener::freeze(TimePoint now) {
  if (state_ != State::kPlaying) return;
  plays_.back().heard += now - since_;
  position_ += now - since_;
  since_ = now;
}

// The run that was heard up to here is over.
void Listener::note_played() {
  plays_.back().played += store_.origins(*current(), heard_from_, position_);
  heard_from_ = position_;
}

// For something else, by the listener's wish.
void Listener::leave_track(TimePoint now) {
  if (state_ == State::kIdle || state_ == State::kDone) return;
  freeze(now);
  note_played();
  plays_.back().skipped = true;
}

void Listener::plan_wake() {
  const Duration until = store_.playable_until(*current(), position_);
  wake_ = since_ + std::max(until - position_, Duration::zero());
}

void Listener::stored(TimePoint now, core::TorrentId torrent) {
  if (torrent != current()) return;
  if (state_ == State::kPlaying) {
    freeze(now);
    plan_wake();
  } else if (state_ == State::kStarting) {
    try_start(now);
  } else if (state_ == State::kStalled && ready(kResumeMedia)) {
    plays_.back().stalled += now - wait_from_;
    move(now, false);
  }
}

void Listener::wake(TimePoint now) {
  if (state_ != State::kPlaying || now < wake_) return;
  freeze(now);
  plan_wake();
  if (position_ >= timeline().duration()) {
    end_of_track(now);
  } else if (wake_ <= now) {
    stall(now);
  }
}

void Listener::stall(TimePoint now) {
  state_ = State::kStalled;
  ++plays_.back().stalls;
  wait_from_ = now;
  wake_ = kNever;
  tell(false, false);
  tell_waits(now);
}

void Listener::end_of_track(TimePoint now) {
  note_played();
  plays_.back().finished = true;
  if (!next()) {
    finish();
    return;
  }
  ++index_;
  begin_track(now, Duration::zero(), now);
}

void Listener::finish() {
  state_ = State::kDone;
  wake_ = kNever;
  outputs_.push_back(player::PlayerInput(player::PlaybackEnded{}));
}

void Listener::seek(TimePoint now, Duration position) {
  if (state_ == State::kIdle || state_ == State::kDone) return;
  freeze(now);
  note_played();
  wait_for_start(now, std::clamp(position, Duration::zero(), timeline().duration()));
}

void Listener::skip(TimePoint now) {
  if (state_ == State::kIdle || state_ == State::kDone) return;
  leave_track(now);
  if (!next()) {
    finish();
    return;
  }
  ++index_;
  begin_track(now, Duration::zero(), std::nullopt);
}

void Listener::enqueue(TimePoint now, core::TorrentId torrent) {
  if (state_ == State::kDone) return play(now, torrent);
  playlist_.push_back(torrent);
  if (state_ != State::kIdle && index_ + 2 == playlist_.size()) tell_next();
}

void Listener::play(TimePoint now, core::TorrentId torrent, TimePoint wished) {
  leave_track(now);
  playlist_ = {torrent};
  index_ = 0;
  begin_track(now, Duration::zero(), std::nullopt);
  plays_.back().requested = wait_from_ = wished;
}

void Listener::pause(TimePoint now) {
  if (state_ != State::kPlaying) return;
  freeze(now);
  state_ = State::kPaused;
  wake_ = kNever;
  tell(false, false, true);
}

void Listener::resume(TimePoint now) {
  if (state_ != State::kPaused) return;
  move(now, false);
}

void Listener::stop(TimePoint now) {
  if (state_ == State::kIdle || state_ == State::kDone) return;
  freeze(now);
  note_played();
  finish();
}

void Listener::tell(bool moving, bool starting, bool paused) {
  outputs_.push_back(player::PlayerInput(
      player::Playback{{*current(), core::FileIndex(0)}, position_, moving, starting, paused}));
}

// The demuxer asks for what it needs to go on.
void Listener::tell_waits(TimePoint) {
  const Duration until = std::min(position_ + kResumeMedia, timeline().duration());
  reader_waits_ = true;
  outputs_.push_back(core::ReaderWaits{
      *current(), {timeline().offset_at(position_), timeline().offset_at(until)}});
}

void Listener::tell_next() {
  player::NextTrack following;
  if (next()) following.track = player::TrackRef{*next(), core::FileIndex(0)};
  outputs_.push_back(player::PlayerInput(following));
}

void Listener::tell_timeline() {
  if (!store_.track(*current()).metainfo().hints.empty()) return;
  outputs_.push_back(core::SetTimeline{*current(), core::FileIndex(0), timeline()});
}

std::optional<Listener::Output> Listener::poll() {
  if (polled_ == outputs_.size()) {
    outputs_.clear();
    polled_ = 0;
    return std::nullopt;
  }
  return outputs_[polled_++];
}

}  // namespace tributary::sim
