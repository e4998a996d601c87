#include "player/client/session.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::player {
namespace {

// How often the sink's clock is looked at: finer than an eye sees, coarse enough to cost nothing.
constexpr Duration kPollInterval = 50ms;
// PCM decoded ahead. It also bounds how early the demuxer wants bytes before they are heard.
constexpr Duration kDecodeAhead = 1s;
// A read this far from what is heard is no ordinary read-ahead but an index or a detour.
constexpr Duration kDetour = 10s;
// Decoded sound so short ends before a request could.
constexpr Duration kNearlyDry = 200ms;
// Decoded sound in hand before any is heard: a hiccup it survives. FLAC's demuxer gives one frame,
// a tenth of a second, for each that it reads ten frames ahead.
constexpr Duration kStartLevel = 200ms;
// The node moves the playhead on by itself, in real time. A sink that is faster (wav-fast) or
// whose clock drifts is told of before the node's picture is off by a second, a jump to the swarm.
constexpr Duration kDrift = 500ms;

std::size_t index_of(TrackId id) { return static_cast<std::size_t>(id.value()); }

}  // namespace

Session::Session(net::Loop& loop, Host& host, MediaClock& clock, AudioSink& sink,
                 std::vector<PlaylistItem> items, Options options)
    : loop_(loop),
      host_(host),
      clock_(clock),
      items_(std::move(items)),
      options_(std::move(options)),
      progress_(items_.size()),
      poll_timer_(loop) {
  PipelineOptions pipeline;
  pipeline.queue.capacity = kDecodeAhead;
  pipeline.queue.start_level = kStartLevel;
  pipeline.start_paused = true;
  pipeline.wake = [this] { loop_.post([this] { poll_pipeline(); }); };
  pipeline_ = std::make_unique<PlaybackPipeline>(sink, clock_, *this, std::move(pipeline));
}

Session::~Session() {
  halt();
  join();
}

// A track's torrent and the one after are open; the others can wait.
void Session::open_torrents(std::size_t item) {
  for (std::size_t i = item; i < std::min(item + 2, items_.size()); ++i) open_torrent(i);
}

void Session::open_torrent(std::size_t item) {
  if (std::exchange(progress_[item].opening, true)) return;
  host_.open(items_[item].metainfo,
             [this, item](const OpenTorrent& torrent) { opened(item, torrent); });
}

void Session::when_open(std::size_t item, std::function<void(const OpenTorrent&)> work) {
  open_torrent(item);
  host_.open(items_[item].metainfo, std::move(work));
}

void Session::set_edges(std::size_t item, std::vector<std::string> edges) {
  when_open(item, [this, edges = std::move(edges)](const OpenTorrent& torrent) {
    host_.set_edges(torrent.id, edges);
  });
}

void Session::add_peer(std::size_t item, const Endpoint& peer) {
  when_open(item, [this, peer](const OpenTorrent& torrent) { host_.add_peer(torrent.id, peer); });
}

// What is playing and what follows has demands of the node's own.
void Session::prefetch(std::size_t item) {
  const auto former = std::exchange(hinted_, item);
  const auto hinted = [this](std::size_t i) { return i != current_ && i != current_ + 1; };
  if (former && former != item && hinted(*former) && torrent(*former)) {
    const TrackRef ref = ref_of(*former);
    host_.feed(core::Input(core::ClearDemand{ref.torrent, ref.file}));
  }
  when_open(item, [this, item, hinted](const OpenTorrent& torrent) {
    const bool playing = state_ != PlayState::kLoading && !ended_;
    if (hinted_ != item || (playing && !hinted(item))) return;
    const core::Policy& policy = host_.policy();
    host_.feed(core::Input(core::SetDemand{.torrent = torrent.id,
                                           .file = items_[item].file,
                                           .at = loop_.now() + policy.prefetch_peers_at,
                                           .prefetch = true,
                                           .cdn_allowed = true,
                                           .budget = policy.prefetch_budget}));
  });
}

std::optional<std::size_t> Session::item_of(core::TorrentId id) const {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (torrent(i) && torrent(i)->id == id) return i;
  }
  return std::nullopt;
}

void Session::opened(std::size_t item, const OpenTorrent& torrent) {
  for (const Endpoint& peer : items_[item].peers) host_.add_peer(torrent.id, peer);
  for (const Endpoint& peer : options_.peers) host_.add_peer(torrent.id, peer);
  progress_[item].state->set_open(torrent);
  if (state_ == PlayState::kLoading && started_ && item == current_) {
    restart(item, options_.from);
  } else if (item == current_ + 1) {
    tell_next();
  }
}

TrackRef Session::ref_of(std::size_t item) const { return {torrent(item)->id, items_[item].file}; }

std::optional<TrackRef> Session::next_ref() const {
  const std::size_t next = current_ + 1;
  if (next >= items_.size() || !torrent(next)) return std::nullopt;
  return ref_of(next);
}

Track Session::track_at(std::size_t item) const {
  Track track;
  track.id = TrackId(item);
  track.start = options_.from;
  if (options_.until >= Duration::zero()) track.stop = options_.until;
  const auto& hints = items_[item].metainfo->hints;
  const auto file = static_cast<std::size_t>(items_[item].file.value());
  if (file < hints.size()) track.hints = hints[file];
  return track;
}

Duration Session::duration_of(std::size_t item) const {
  if (!torrent(item)) return {};
  const core::Swarm* swarm = host_.node().swarm(torrent(item)->id);
  return swarm && swarm->timeline_known(items_[item].file)
             ? swarm->timeline(items_[item].file).duration()
             : Duration::zero();
}

void Session::start() {
  if (items_.empty()) return end();
  started_ = true;
  meter_.requested(metered(loop_.now()));
  open_torrents(0);
  if (torrent(0)) restart(0, options_.from);
  poll_timer_.start(loop_.now() + kPollInterval, [this] { poll_pipeline(); });
}

// Plays an item from a position by the listener's or the start's wish.
void Session::restart(std::size_t item, Duration position) {
  current_ = item;
  position_ = position;
  may_start_ = false;
  frame_decoded_ = false;
  state_ = PlayState::kStarting;
  if (!user_paused_) pipeline_->pause();
  open_torrents(item);
  tell_node(false, true, false);
  tell_next();
  Track track = track_at(item);
  track.start = position;
  pipeline_->start(track);
}

// Beside the wait for the first bytes. Not before: while a library is loaded no thread can be
// started, which looking a host up takes.
void Session::on_connected() {
  if (!started_ || std::exchange(prepared_, true)) return;
  loop_.post([&loop = loop_] { loop.work([] { PlaybackPipeline::prepare(); }, {}); });
}

void Session::on_may_start(TrackRef track) {
  if (!torrent(current_) || ref_of(current_) != track) return;
  may_start_ = true;
  if (!user_paused_) pipeline_->play();
  rest_if_paused();
}

// A start or seek while paused is over with its first frame: nothing will be heard that ends it.
void Session::rest_if_paused() {
  if (!user_paused_ || !may_start_ || !frame_decoded_ || state_ != PlayState::kStarting) return;
  state_ = PlayState::kPaused;
  tell_node(false, false, true);
}

std::optional<Track> Session::next(TrackId after) {
  const std::size_t item = index_of(after) + 1;
  if (item >= items_.size()) return std::nullopt;
  return track_at(item);
}

std::optional<Track> Session::previous(TrackId before) {
  const std::size_t item = index_of(before);
  return track_at(item == 0 ? 0 : item - 1);
}

// The pipeline may be several short tracks ahead of what is heard: the one it comes to is opened
// for it, and its reads wait for that.
Result<std::shared_ptr<ByteSource>> Session::open(const Track& track) {
  const std::size_t item = index_of(track.id);
  if (!torrent(item))
    loop_.post([this, item] {
      if (!ended_) open_torrents(item);
    });
  return std::shared_ptr<ByteSource>(std::make_shared<TrackSource>(
      items_[item], progress_[item].state, host_.reader(), [this](TrackRef ref, ByteRange wanted) {
        loop_.post([this, ref, wanted] { note_wait(ref, wanted); });
      }));
}

void Session::poll_pipeline() {
  if (ended_) return;
  for (const PipelineEvent& event : pipeline_->poll()) on(event);
  const PipelinePosition heard = pipeline_->position();
  if (heard.track && index_of(*heard.track) == current_ && state_ != PlayState::kStarting) {
    position_ = heard.time;
  }
  correct_playhead();
  const PipelineNeeds needs = pipeline_->needs();
  if (needs.reading) learn_timeline(index_of(*needs.reading), pipeline_->hints());
  update_wait();
  tell_moment();
  if (!ended_) poll_timer_.start(loop_.now() + kPollInterval, [this] { poll_pipeline(); });
}

void Session::on(const PipelineEvent& event) {
  using Kind = PipelineEvent::Kind;
  const std::size_t item = index_of(event.track);
  switch (event.kind) {
    case Kind::kOpened:
      if (event.duration > Duration::zero()) {
        learn_timeline(item, {.duration = event.duration, .points = {}});
      }
      break;
    case Kind::kFirstFrame:
    case Kind::kSeeked:
      meter_.first_frame(metered(event.at));
      if (item == current_) frame_decoded_ = true;
      rest_if_paused();
      break;
    case Kind::kTrackStarted:
      on_track_started(event);
      break;
    case Kind::kTrackFinished:
      meter_.ended(metered(event.at));
      break;
    case Kind::kStalled:
      meter_.starved(metered(event.at));
      state_ = PlayState::kStalled;
      tell_node(false, false, false);
      break;
    case Kind::kResumed:
      meter_.first_frame(metered(event.at));
      state_ = PlayState::kPlaying;
      tell_node(true, false, false);
      break;
    case Kind::kError:
      on_track_failed(item, event.message);
      break;
    case Kind::kEnded:
      on_last_track_ended();
      break;
  }
}

void Session::on_track_started(const PipelineEvent& event) {
  const std::size_t item = index_of(event.track);
  if (item != current_) begin_track(item, event.heard, StartKind::kFollows);
  gap_ = event.duration;
  meter_.first_frame(metered(event.at));
  position_ = pipeline_->position().time;
  state_ = PlayState::kPlaying;
  tell_node(true, false, false);
  tell_next();
}

// The pipeline goes on with the next track by itself; where nothing is heard yet, that one takes
// the failed one's place, with a start of its own.
void Session::on_track_failed(std::size_t item, const std::string& why) {
  progress_[item].failed = true;
  message_ = items_[item].title + ": " + why;
  if (item == current_ && state_ == PlayState::kStarting) next();
}

void Session::on_last_track_ended() {
  end();
  const auto failed = std::count_if(progress_.begin(), progress_.end(),
                                    [](const Progress& progress) { return progress.failed; });
  if (failed > 0) state_ = PlayState::kFailed;
  if (failed > 1) {
    message_ = std::to_string(failed) + " tracks could not be played; the last: " + message_;
  }
}

// Events are polled: one may be older than what the meter was told last.
TimePoint Session::metered(TimePoint at) { return metered_ = std::max(metered_, at); }

// `heard`: of all tracks, up to where this one begins.
void Session::begin_track(std::size_t item, Duration heard, StartKind kind) {
  close_figures(heard);
  current_ = item;
  position_ = options_.from;
  gap_ = {};
  meter_.requested(metered(loop_.now()), kind);
  open_torrents(item);
}

// The playing track's figures are final: it ended or was left.
void Session::close_figures(Duration heard) {
  const PlaybackFigures figures = present_figures(heard);
  heard_before_ = heard;
  Played& played = progress_[current_].played;
  played.figures += figures;
  played.gap += gap_;
  gap_ = {};
  meter_.stopped(metered(loop_.now()));
}

// What was heard is media time by the sink's count; a sink may be faster than the meter's clock.
PlaybackFigures Session::present_figures(Duration heard) {
  PlaybackFigures figures = meter_.track(metered(loop_.now()));
  figures.played = heard - heard_before_;
  return figures;
}

void Session::correct_playhead() {
  if (state_ != PlayState::kPlaying) return;
  const Duration assumed = told_position_ + (loop_.now() - told_at_);
  if (std::chrono::abs(position_ - assumed) > kDrift) tell_node(true, false, false);
}

void Session::tell_node(bool moving, bool starting, bool paused) {
  if (!torrent(current_)) return;
  told_position_ = position_;
  told_at_ = loop_.now();
  host_.feed(PlayerInput(Playback{.track = ref_of(current_),
                                  .position = position_,
                                  .moving = moving,
                                  .starting = starting,
                                  .paused = paused}));
}

void Session::tell_next() { host_.feed(PlayerInput(NextTrack{next_ref()})); }

void Session::toggle_pause() {
  if (ended_) return;
  user_paused_ = !user_paused_;
  if (user_paused_) {
    pipeline_->pause();
    meter_.pause(metered(loop_.now()));
    position_ = pipeline_->position().time;
    if (state_ == PlayState::kPlaying) state_ = PlayState::kPaused;
    if (state_ != PlayState::kStarting) tell_node(false, false, true);
    rest_if_paused();
    return;
  }
  meter_.resume(metered(loop_.now()));
  if (may_start_) pipeline_->play();
  if (state_ != PlayState::kPaused) return;
  state_ = PlayState::kPlaying;
  tell_node(true, false, false);
}

void Session::seek_by(Duration offset) {
  if (ended_ || state_ == PlayState::kLoading) return;
  const Duration duration = duration_of(current_);
  Duration target = std::max(position_ + offset, Duration::zero());
  if (duration > Duration::zero()) target = std::min(target, duration - 1s);
  position_ = std::max(target, Duration::zero());
  meter_.seek(metered(loop_.now()));
  frame_decoded_ = false;
  state_ = PlayState::kStarting;
  tell_node(false, true, false);
  pipeline_->seek(position_);
}

void Session::next() {
  if (!started_ || ended_ || current_ + 1 >= items_.size()) return;
  begin_track(current_ + 1, pipeline_->position().heard, StartKind::kChosen);
  if (torrent(current_))
    restart(current_, options_.from);
  else
    state_ = PlayState::kLoading;
}

void Session::previous() {
  if (!started_ || ended_) return;
  const std::size_t item = current_ == 0 ? 0 : current_ - 1;
  begin_track(item, pipeline_->position().heard, StartKind::kChosen);
  restart(item, options_.from);
}

void Session::end() {
  if (std::exchange(ended_, true)) return;
  if (!items_.empty()) close_figures(pipeline_->position().heard);
  state_ = PlayState::kEnded;
  host_.feed(PlayerInput(PlaybackEnded{}));
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (torrent(i)) host_.share(torrent(i)->id, true);
  }
  if (on_end_) on_end_();
}

void Session::halt() {
  poll_timer_.stop();
  end();
  tell_moment();
}

void Session::join() { pipeline_->stop(); }

// A file without hints is learnt while it is read.
void Session::learn_timeline(std::size_t item, const core::FileHints& hints) {
  if (!torrent(item) || hints.duration <= Duration::zero()) return;
  const core::TorrentId id = torrent(item)->id;
  const core::FileIndex file = items_[item].file;
  const core::Swarm* swarm = host_.node().swarm(id);
  if (!swarm || swarm->timeline_known(file)) return;
  const Bytes size = torrent(item)->info->files[static_cast<std::size_t>(file.value())].length;
  host_.feed(core::Input(core::SetTimeline{
      id, file, core::ByteTimeMap::from_points(size, hints.duration, hints.points)}));
}

void Session::note_wait(TrackRef track, ByteRange range) {
  if (ended_) return;
  wait_ = std::pair(track, range);
  if (range.empty()) wait_.reset();
  update_wait();
}

// In step with playback the deadlines say when a byte is needed. A read while nothing moves, or
// away from the playhead (an index at the end, headers after a seek), is needed now.
bool Session::wait_is_urgent() const {
  if (!wait_ || !torrent(current_)) return false;
  const auto& [track, range] = *wait_;
  const core::Swarm* swarm = host_.node().swarm(track.torrent);
  if (!swarm) return false;
  const bool current = track == ref_of(current_);
  if (!current && next_ref() != track) return true;  // no deadline covers it
  const auto file = static_cast<std::size_t>(track.file.value());
  const Bytes offset = range.begin - swarm->metainfo().info.files[file].offset;
  const Duration at = swarm->timeline(track.file).time_at(offset);
  if (!current) return at > options_.from + kDetour;
  if (state_ != PlayState::kPlaying && state_ != PlayState::kPaused) return true;
  // About to run dry: whatever the timeline says, these bytes are late.
  if (state_ == PlayState::kPlaying && pipeline_->position().buffered < kNearlyDry) return true;
  return at + 1s < position_ || at > position_ + kDetour;
}

void Session::update_wait() {
  if (wait_is_urgent()) {
    if (wait_told_ == wait_->first) return;
    wait_told_ = wait_->first;
    host_.feed(core::Input(core::ReaderWaits{wait_->first.torrent, wait_->second}));
  } else if (wait_told_) {
    host_.feed(core::Input(core::ReaderWaits{wait_told_->torrent, {}}));
    wait_told_.reset();
  }
}

}  // namespace tributary::player
