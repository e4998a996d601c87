#include "player/api/client_object.h"

#include <utility>

#include "engine/net/address.h"
#include "engine/net/clock.h"
#include "player/api/errors.h"
#include "player/client/decision_line.h"

namespace tributary::capi {
namespace {

using player::PlayState;
static_assert(static_cast<int>(PlayState::kLoading) == TRIBUTARY_STATE_LOADING &&
              static_cast<int>(PlayState::kStalled) == TRIBUTARY_STATE_STALLED &&
              static_cast<int>(PlayState::kFailed) == TRIBUTARY_STATE_FAILED);
static_assert(static_cast<int>(LogLevel::kDebug) == TRIBUTARY_LOG_DEBUG &&
              static_cast<int>(LogLevel::kError) == TRIBUTARY_LOG_ERROR);

// An edge is refused many ranges at once, and its new URLs take a moment.
constexpr Duration kRefusedEvery = 5s;

std::string peers_text(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " peer" : " peers");
}

std::string text_of_progress(const core::FetchProgress& progress) {
  const std::string peers = peers_text(progress.connected);
  if (progress.layers) return "asking " + peers + " for the piece hashes";
  if (progress.connected > 0) return "asking " + peers + " for the track list";
  if (progress.known == 0) return "looking for peers who know the track list";
  return "calling " + peers_text(static_cast<std::int64_t>(progress.known));
}

TrackText text_of_item(const player::PlaylistItem& item) {
  const core::TorrentInfo& info = item.metainfo->info;
  const auto file = static_cast<std::size_t>(item.file.value());
  TrackText text{.title = item.title,
                 .path = info.files[file].path,
                 .torrent = info.name,
                 .info_hash = {},
                 .length = info.files[file].length,
                 .verifiable = item.verifiable};
  if (info.v1_hash) {
    text.info_hash = info.v1_hash->hex();
  } else if (info.v2_hash) {
    text.info_hash = info.v2_hash->hex();
  }
  const auto& hints = item.metainfo->hints;
  if (file < hints.size()) text.duration = hints[file].duration;
  return text;
}

}  // namespace

ClientObject::ClientObject(const tributary_options& o)
    : callbacks_{o.user, o.wakeup, o.log, o.log_level, o.decision, o.refused, o.trace},
      notifier_([this](Notifier::Lane lane, std::size_t count) { on_dropped(lane, count); }),
      events_([this] {
        if (!callbacks_.wakeup) return;
        notifier_.give(Notifier::Lane::kCalls, [this] { callbacks_.wakeup(callbacks_.user); });
      }) {}

ClientObject::~ClientObject() {
  end_load();
  player_.reset();
  notifier_.stop();
}

Result<std::shared_ptr<ClientObject>> ClientObject::open(const tributary_options& o) {
  TRIBUTARY_TRY(options, options_from(o));
  TRIBUTARY_TRY(conduct, conduct_from(o));
  std::shared_ptr<ClientObject> client(new ClientObject(o));
  client->conduct_ = conduct;
  client->set_callbacks(options);
  TRIBUTARY_TRY(player, player::Client::create(std::move(options)));
  client->player_ = std::move(player);
  const auto at = client->player_->listening();
  client->address_ = at ? net::format_endpoint(*at) : "";
  return client;
}

void ClientObject::set_callbacks(player::ClientOptions& options) {
  options.changed = [this](const player::PlayMoment& moment) { on_moment(moment); };
  options.resolving = [this, last = std::string()](const core::FetchProgress& p) mutable {
    std::string text = text_of_progress(p);
    if (std::exchange(last, text) != text) {
      events_.push({.type = TRIBUTARY_EVENT_RESOLVING, .text = std::move(text)});
    }
    return true;
  };
  if (callbacks_.log) {
    options.host.log = [this](LogLevel level, std::string_view text) { log(level, text); };
  }
  if (callbacks_.refused) {
    options.refused = [this](std::size_t track, const std::string& url, int status) {
      on_refused(track, url, status);
    };
  }
  if (callbacks_.trace) options.trace = [this](const std::string& line) { trace(line); };
  if (!callbacks_.decision) return;
  options.host.trace = true;
  options.decision = [this, start = kNever](const core::Decision& decision) mutable {
    start = std::min(start, decision.at);
    notifier_.give(Notifier::Lane::kDecisions, [this, decision, start] {
      callbacks_.decision(callbacks_.user, player::decision_line(decision, start).c_str());
    });
  };
}

void ClientObject::log(LogLevel level, std::string_view text) {
  const int number = static_cast<int>(level);
  if (number < static_cast<int>(callbacks_.log_level)) return;
  notifier_.give(Notifier::Lane::kLog, [this, number, line = std::string(text)] {
    callbacks_.log(callbacks_.user, number, line.c_str());
  });
}

// What follows a hole would tell of another session.
void ClientObject::trace(const std::string& line) {
  if (trace_cut_) return;
  trace_cut_ = !notifier_.give(Notifier::Lane::kTrace,
                               [this, line] { callbacks_.trace(callbacks_.user, line.c_str()); });
}

void ClientObject::on_dropped(Notifier::Lane lane, std::size_t count) const {
  if (!callbacks_.log) return;
  constexpr const char* kWhy = ": the callbacks take longer than they come";
  const std::string what = lane == Notifier::Lane::kTrace
                               ? "the trace was cut off"
                               : std::to_string(count) +
                                     (lane == Notifier::Lane::kLog ? " log lines" : " decisions") +
                                     " were dropped";
  callbacks_.log(callbacks_.user, TRIBUTARY_LOG_WARNING, (what + kWhy).c_str());
}

void ClientObject::on_moment(const player::PlayMoment& moment) {
  const player::PlayMoment former = std::exchange(told_, moment);
  const tributary_state state = state_of(moment.state);
  if (former.state != moment.state || former.track != moment.track) {
    events_.push({.type = TRIBUTARY_EVENT_STATE, .track = moment.track, .state = state});
  }
  if (former.message != moment.message && !moment.message.empty()) {
    events_.push({.type = TRIBUTARY_EVENT_MESSAGE,
                  .track = moment.track,
                  .state = state,
                  .text = moment.message});
  }
  const bool failed = moment.state == PlayState::kFailed;
  if ((!failed && moment.state != PlayState::kEnded) || std::exchange(ended_told_, true)) return;
  events_.push({.type = TRIBUTARY_EVENT_ENDED,
                .result = failed ? TRIBUTARY_E_IO : TRIBUTARY_OK,
                .track = moment.track,
                .state = state,
                .text = moment.message});
}

void ClientObject::on_refused(std::size_t track, const std::string& url, int status) {
  const TimePoint now = net::read_clock();
  const auto [last, is_new] = refused_at_.emplace(track, now);
  if (!is_new && now - last->second < kRefusedEvery) return;
  last->second = now;
  notifier_.give(Notifier::Lane::kCalls, [this, track, url, status] {
    callbacks_.refused(callbacks_.user, track, url.c_str(), status);
  });
}

int ClientObject::load(std::vector<std::string> sources) {
  const std::lock_guard lock(load_mutex_);
  if (closing_ || finished_) return fail(TRIBUTARY_E_STATE, "the client is finished");
  if (loading_) return fail(TRIBUTARY_E_STATE, "loading is under way; wait for its event");
  if (loaded_) {
    return fail(TRIBUTARY_E_STATE, "a list is loaded already; open another client for another");
  }
  loading_ = true;
  loader_ = std::jthread([this, sources = std::move(sources)](const std::stop_token& stop) {
    run_load(sources, stop);
  });
  return TRIBUTARY_OK;
}

void ClientObject::run_load(const std::vector<std::string>& sources, const std::stop_token& stop) {
  auto items = player_->load(sources, stop);
  if (items && items->empty()) {
    items = Error{ErrorCode::kNotFound, "the sources hold no track; give a torrent or a media URL"};
  }
  Event event{.type = TRIBUTARY_EVENT_LOADED};
  const bool there = items.ok();
  if (there) {
    items_ = *std::move(items);
    for (const player::PlaylistItem& item : items_) tracks_.push_back(text_of_item(item));
  } else {
    event.result = code_of(items.error().code);
    event.text = items.error().message;
  }
  bool start = false;
  {
    const std::lock_guard lock(load_mutex_);
    loading_ = false;
    loaded_ = there;
    start = started_ = started_ && there;
  }
  if (start) player_->start();
  events_.push(std::move(event));
}

void ClientObject::cancel_load() {
  const std::lock_guard lock(load_mutex_);
  loader_.request_stop();
}

// The loader takes the lock at its end, so it is joined without.
void ClientObject::end_load() {
  std::jthread loader;
  {
    const std::lock_guard lock(load_mutex_);
    closing_ = true;
    loader = std::move(loader_);
  }
}

void ClientObject::interrupt() {
  {
    const std::lock_guard lock(load_mutex_);
    closing_ = true;
    loader_.request_stop();
  }
  events_.close();
}

// While the list is being loaded the loader has the rest to do.
int ClientObject::start() {
  {
    const std::lock_guard lock(load_mutex_);
    if (finished_) return fail(TRIBUTARY_E_STATE, "the client is finished");
    if (!loaded_ && !loading_) return fail(TRIBUTARY_E_STATE, "no tracks yet: load some first");
    if (std::exchange(started_, true))
      return fail(TRIBUTARY_E_STATE, "playback was started before");
    if (!loaded_) return TRIBUTARY_OK;
  }
  player_->start();
  return TRIBUTARY_OK;
}

void ClientObject::stop() {
  const std::lock_guard lock(ending_mutex_);
  player_->stop_playback();
}

void ClientObject::finish() {
  end_load();
  {
    const std::lock_guard lock(ending_mutex_);
    finished_ = true;
    player_->finish();
  }
  if (!in_callback()) notifier_.drain();
}

void ClientObject::change_conduct(const std::function<void(Conduct&)>& change) {
  const std::lock_guard lock(conduct_mutex_);
  change(conduct_);
  player_->set_conduct(conduct_.effective_policy(), conduct_.uploads());
}

}  // namespace tributary::capi
