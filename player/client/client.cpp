#include "player/client/client.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/net/clock.h"
#include "player/client/loader.h"
#include "player/client/session.h"
#include "player/client/session_recorder.h"

namespace tributary::player {
namespace {

// A .torrent of the largest size over a slow line; a playlist comes much sooner.
constexpr Duration kFetchLimit = 60s;
constexpr Duration kProgressEvery = 200ms;

}  // namespace

class Client::Impl final : public RemoteFiles {
 public:
  explicit Impl(ClientOptions options) : options_(std::move(options)) {}
  ~Impl() override { shut_down(); }

  Result<void> start_host() {
    auto sink = make_sink(options_.audio, clock_);
    if (!sink) return sink.error();
    sink_ = *std::move(sink);
    HostEvents events;
    record(events);
    events.may_start = [this](TrackRef track) {
      if (session_) session_->on_may_start(track);
    };
    events.connected = [this] {
      if (session_) session_->on_connected();
    };
    if (options_.refused) {
      events.refused = [this](core::TorrentId torrent, const std::string& url, int status) {
        const auto item = session_ ? session_->item_of(torrent) : std::nullopt;
        if (item) options_.refused(*item, url, status);
      };
    }
    options_.host.log = [this, further = options_.host.log](LogLevel level, std::string_view text) {
      if (level >= LogLevel::kWarning) {
        const std::lock_guard lock(warning_mutex_);
        warning_ = text;
      }
      if (further) further(level, text);
    };
    auto host = Host::create(loop_, options_.host, std::move(events));
    if (!host) return host.error();
    host_ = *std::move(host);
    readers_ = std::make_unique<Readers>(loop_, *host_);
    listening_ = host_->listening();
    thread_ = std::thread([this] { loop_.run(); });
    return {};
  }

  // With a trace, all that the host tells goes there too.
  void record(HostEvents& events) {
    events.decision = options_.decision;
    if (!options_.trace) return;
    options_.host.trace = true;
    recorder_ = std::make_unique<SessionRecorder>(options_.trace, options_, net::read_clock());
    events.decision = [this](const core::Decision& decision) {
      if (options_.decision) options_.decision(decision);
      if (recorder_) recorder_->decided(decision);
    };
    events.happening = [this](const Happening& happening, TimePoint now) {
      if (recorder_) recorder_->happened(happening, now);
    };
  }

  // What the listener does, for the trace. Loop thread.
  void note(ListenerAction action, Duration by = {}) {
    if (recorder_) recorder_->acted(action, by, loop_.now());
  }

  Result<std::vector<PlaylistItem>> load(const std::vector<std::string>& sources) {
    auto items = load_sources(sources, *this);
    if (!items) return items.error();
    on_loop([&] {
      session_ = std::make_unique<Session>(
          loop_, *host_, clock_, *sink_, *items,
          Session::Options{options_.from, options_.until, options_.peers});
      session_->on_moment([this](const PlayMoment& moment) {
        if (moment == std::exchange(moment_, moment) || !options_.changed) return;
        options_.changed(moment);
      });
      session_->on_end([this] {
        const std::lock_guard lock(ended_mutex_);
        ended_ = true;
        ended_changed_.notify_all();
      });
    });
    return items;
  }

  // RemoteFiles
  Result<net::HttpReply> get(const std::string& url) override { return fetch(url, false); }
  Result<net::HttpReply> head(const std::string& url) override { return fetch(url, true); }
  // The host ends it by itself after core::kFetchLimit.
  Result<ResolvedMagnet> resolve(const wire::Magnet& magnet) override {
    std::promise<Result<ResolvedMagnet>> reply;
    auto result = reply.get_future();
    core::TorrentId id;
    on_loop([&] {
      id = host_->resolve(magnet, options_.peers, [&reply](Result<ResolvedMagnet> resolved) {
        reply.set_value(std::move(resolved));
      });
    });
    while (result.wait_for(kProgressEvery) != std::future_status::ready) {
      core::FetchProgress progress;
      on_loop([&] { progress = host_->progress(id).value_or(progress); });
      const bool goes_on = !options_.resolving || options_.resolving(progress);
      if (goes_on && !stop_.stop_requested()) continue;
      on_loop([&] { host_->give_up(id); });
      if (result.wait_for(0s) == std::future_status::ready) break;
      return given_up();
    }
    return result.get();
  }

  template <class F>
  void post(F work) {
    loop_.post([this, work] {
      if (!session_) return;
      work(*session_);
      session_->tell_moment();
    });
  }

  // Has the session do what the listener wants, and the trace tell of it.
  void act(ListenerAction action, void (Session::*what)()) {
    post([this, action, what](Session& session) {
      note(action);
      (session.*what)();
    });
  }

  // Loop thread.
  void seek(Session& session, Duration by) {
    note(ListenerAction::kSeek, by);
    session.seek_by(by);
  }

  // Runs `work` on the loop thread and waits for it; directly, once there is no loop thread.
  template <class F>
  void on_loop(F work) {
    if (!thread_.joinable()) return work();
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  template <class T, class F>
  T ask(T otherwise, F question) {
    T answer = std::move(otherwise);
    on_loop([&] {
      if (session_) answer = question(*session_);
    });
    return answer;
  }

  bool wait_until_ended(Duration limit) {
    std::unique_lock lock(ended_mutex_);
    return ended_changed_.wait_for(lock, limit, [this] { return ended_; });
  }

  void finish() {
    if (!thread_.joinable() || finished_.exchange(true)) return;
    on_loop([this] {
      if (!session_) return;
      const std::lock_guard lock(report_mutex_);
      final_report_ = session_->report();
    });
    stop_playback();
    std::promise<void> closed;
    loop_.post([&] { host_->close([&closed] { closed.set_value(); }); });
    closed.get_future().wait();
    on_loop([this] {
      if (recorder_) recorder_->ended(final_report_.value_or(Report{}), loop_.now());
      recorder_.reset();
    });
  }

  // The pipeline's thread may be waiting for the loop, so it is joined from here.
  void stop_playback() {
    on_loop([this] {
      if (!session_) return;
      if (!session_->ended()) note(ListenerAction::kStop);
      session_->halt();
    });
    if (session_) session_->join();
  }

  void shut_down() {
    if (!thread_.joinable()) return;
    stop_playback();
    loop_.post([this] { loop_.stop(); });
    thread_.join();
    session_.reset();
    readers_.reset();
    host_.reset();
  }

  ClientOptions options_;
  SteadyMediaClock clock_;
  net::Loop loop_;
  std::unique_ptr<AudioSink> sink_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<SessionRecorder> recorder_;  // loop thread; none without a trace, or at its end
  std::optional<Endpoint> listening_;
  PlayMoment moment_;  // as it was told last
  std::mutex report_mutex_;
  std::optional<Report> final_report_;
  std::atomic<bool> finished_ = false;
  std::stop_token stop_;  // of the load that is under way
  std::mutex warning_mutex_;
  std::string warning_;  // the latest
  std::mutex ended_mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;
  std::thread thread_;

 private:
  static Error given_up() { return Error{ErrorCode::kCancelled, "given up"}; }

  // What is given up may still be answered, to nobody.
  Result<net::HttpReply> fetch(const std::string& url, bool head) {
    const auto reply = std::make_shared<std::promise<Result<net::HttpReply>>>();
    auto result = reply->get_future();
    net::HttpClientRequest request;
    request.url = url;
    request.head = head;
    request.total_timeout = kFetchLimit;
    request.max_body = 64_MiB;
    loop_.post([this, request, reply] {
      host_->http().fetch(
          request, [reply](Result<net::HttpReply> got) { reply->set_value(std::move(got)); });
    });
    while (result.wait_for(kProgressEvery) != std::future_status::ready) {
      if (stop_.stop_requested()) return given_up();
    }
    return result.get();
  }
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::create(ClientOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  auto started = impl->start_host();
  if (!started) return started.error();
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Result<std::vector<PlaylistItem>> Client::load(const std::vector<std::string>& sources,
                                               std::stop_token stop) {
  impl_->stop_ = std::move(stop);
  return impl_->load(sources);
}

std::unique_ptr<Reader> Client::open_reader(std::shared_ptr<const core::Metainfo> metainfo,
                                            core::FileIndex file, ReaderOptions options) {
  const auto& peers = impl_->options_.peers;
  options.peers.insert(options.peers.end(), peers.begin(), peers.end());
  return impl_->readers_->open(std::move(metainfo), file, std::move(options));
}

void Client::start() {
  impl_->post([](Session& s) { s.start(); });
}
void Client::toggle_pause() { impl_->act(ListenerAction::kTogglePause, &Session::toggle_pause); }
void Client::set_paused(bool paused) {
  impl_->post([impl = impl_.get(), paused](Session& s) {
    if (s.paused() == paused) return;
    impl->note(ListenerAction::kTogglePause);
    s.toggle_pause();
  });
}
void Client::seek_to(Duration position) {
  impl_->post(
      [impl = impl_.get(), position](Session& s) { impl->seek(s, position - s.position()); });
}
void Client::seek_by(Duration offset) {
  impl_->post([impl = impl_.get(), offset](Session& s) { impl->seek(s, offset); });
}
void Client::next() { impl_->act(ListenerAction::kNext, &Session::next); }
void Client::previous() { impl_->act(ListenerAction::kPrevious, &Session::previous); }

void Client::set_limits(const RateLimits& limits) {
  impl_->loop_.post([impl = impl_.get(), limits] { impl->host_->set_limits(limits); });
}
void Client::set_conduct(const core::Policy& policy, bool upload) {
  impl_->loop_.post(
      [impl = impl_.get(), policy, upload] { impl->host_->set_conduct(policy, upload); });
}
void Client::set_edges(std::size_t track, std::vector<std::string> edges) {
  impl_->post([track, edges = std::move(edges)](Session& s) { s.set_edges(track, edges); });
}
void Client::add_peer(std::size_t track, const Endpoint& peer) {
  impl_->post([track, peer](Session& s) { s.add_peer(track, peer); });
}
void Client::prefetch(std::size_t track) {
  impl_->post([track](Session& s) { s.prefetch(track); });
}

ClientSnapshot Client::snapshot(std::size_t cells) {
  ClientSnapshot snapshot;
  impl_->on_loop([&] {
    if (impl_->session_) snapshot = impl_->session_->snapshot(cells);
    snapshot.policy = impl_->host_->policy().name;
  });
  const std::lock_guard lock(impl_->warning_mutex_);
  if (snapshot.message.empty()) snapshot.message = impl_->warning_;
  return snapshot;
}

EngineView Client::engine_view(std::size_t cells) {
  EngineView view;
  impl_->on_loop([&] { view = view_of(*impl_->host_, cells); });
  return view;
}

Report Client::report() {
  {
    const std::lock_guard lock(impl_->report_mutex_);
    if (impl_->final_report_) return *impl_->final_report_;
  }
  return impl_->ask(Report{}, [](Session& s) { return s.report(); });
}

bool Client::ended() const {
  return impl_->ask(true, [](Session& s) { return s.ended(); });
}

bool Client::wait_until_ended(Duration limit) const { return impl_->wait_until_ended(limit); }

void Client::stop_playback() { impl_->stop_playback(); }
void Client::finish() { impl_->finish(); }
std::optional<Endpoint> Client::listening() const { return impl_->listening_; }

}  // namespace tributary::player
