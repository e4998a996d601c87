#include "demo/play_session.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "demo/command.h"
#include "demo/human.h"
#include "demo/play_options.h"
#include "demo/summary.h"
#include "engine/net/clock.h"

namespace tributary::demo {
namespace {

constexpr Duration kFrame = 200ms;  // of the live view
constexpr Duration kLineEvery = 1s;
constexpr std::chrono::milliseconds kSeekStep = 10s;
constexpr int kSummaryColumns = 100;  // where stdout is no terminal

}  // namespace

PlaySession::PlaySession(PlaySettings settings, const WakePipe& wake)
    : settings_(std::move(settings)), wake_(wake) {
  view_.audio = settings_.client.audio;
  view_.notice = settings_.notice;
}

Result<void> PlaySession::run() {
  auto opened = open();
  if (!opened) return opened;
  if (is_terminal(STDOUT_FILENO)) {
    screen_.emplace();
  } else if (!settings_.notice.empty()) {
    std::printf("%s\n", settings_.notice.c_str());
    view_.notice.clear();
  }
  play();
  if (!stop_ && (settings_.linger.time || settings_.linger.ratio)) linger();
  return finish();
}

Result<void> PlaySession::open() {
  if (auto traced = start_trace(); !traced) return traced;
  settings_.client.wakeup = [this] { wake_.send('e'); };
  auto client = api::Client::open(settings_.client);
  if (!client) return error_of(client.error());
  client_ = std::move(*client);
  view_.address = client_->address();
  return load();
}

Result<void> PlaySession::start_trace() {
  if (settings_.trace.empty()) return {};
  TRIBUTARY_TRY(trace, TraceWriter::open(settings_.trace));
  trace_ = std::move(trace);
  settings_.client.trace = [this](std::string_view line) { trace_->write(line); };
  return {};
}

// Playback is to begin at once when it is known what the sources stand for.
Result<void> PlaySession::load() {
  const auto begun = client_->load(settings_.sources);
  if (!begun) return error_of(begun.error());
  static_cast<void>(client_->start());  // where loading has failed by now the event says why
  while (!loaded_) {
    wait(std::nullopt);
    if (stop_) static_cast<void>(client_->cancel_load());
  }
  const bool failed = loaded_->result < 0 && loaded_->result != TRIBUTARY_E_CANCELLED;
  return failed ? Result<void>(error_of({loaded_->result, loaded_->text})) : Result<void>();
}

void PlaySession::play() {
  wait(Duration::zero());  // a stop while loading
  line_due_ = net::read_clock() + kLineEvery;
  while (!stop_ && !ended_) step();
}

void PlaySession::linger() {
  static_cast<void>(client_->stop());
  const SharingLimits& limits = settings_.linger;
  const TimePoint start = net::read_clock();
  while (!stop_) {
    const SourceBytes& bytes = view_.snapshot.bytes;
    const Duration shared_for = net::read_clock() - start;
    if (limits.reached(shared_for, bytes.uploaded, bytes.received())) return;
    view_.notice = "played to the end; sharing ";
    if (limits.ratio) view_.notice += "up to a ratio of " + human_ratio(*limits.ratio);
    if (limits.ratio && limits.time) view_.notice += ", ";
    if (limits.time)
      view_.notice += "for " + human_clock(*limits.time - shared_for + 999ms) + " more";
    step();
  }
}

void PlaySession::step() {
  const TimePoint now = net::read_clock();
  look();
  view_.meters.add(now, view_.snapshot.bytes);
  if (screen_) {
    screen_->draw(render_view(view_, size_));
  } else if (now >= line_due_) {
    line_due_ += kLineEvery;
    if (view_.snapshot.message == told_) view_.snapshot.message.clear();
    if (!view_.snapshot.message.empty()) told_ = view_.snapshot.message;
    std::printf("%s\n", render_line(view_).c_str());
    std::fflush(stdout);
  }
  wait(kFrame);
}

void PlaySession::look() {
  if (screen_) {
    const TerminalSize terminal = terminal_size(STDOUT_FILENO);
    size_ = {terminal.columns, terminal.rows, wants_colour(STDOUT_FILENO)};
  }
  if (const auto snapshot = client_->snapshot(map_cells(size_))) {
    view_.snapshot = figures_of(*snapshot);
  }
}

void PlaySession::wait(std::optional<Duration> limit) {
  pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {screen_ ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(fds, 2, limit ? static_cast<int>(*limit / 1ms) : -1) <= 0) return;
  if (fds[0].revents != 0) {
    for (char what : wake_.receive()) on_wake(what);
  }
  if ((fds[1].revents & POLLIN) != 0) read_keys();
}

void PlaySession::on_wake(char what) {
  if (what == 's') stop_ = true;
  if (what == 'r' && screen_) screen_->resume();
  if (what == 'e') pull_events();
}

void PlaySession::pull_events() {
  while (const auto event = client_->next_event()) on(*event);
}

// What state and message are, snapshots tell.
void PlaySession::on(const api::Event& event) {
  if (event.type == TRIBUTARY_EVENT_RESOLVING) tell_resolving(event.text);
  if (event.type == TRIBUTARY_EVENT_LOADED) loaded_ = event;
  if (event.type == TRIBUTARY_EVENT_ENDED) ended_ = event;
}

void PlaySession::tell_resolving(const std::string& text) {
  if (stop_ || std::exchange(told_, text) == text) return;
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void PlaySession::read_keys() {
  char bytes[64];
  const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
  if (n <= 0) return;
  view_.notice.clear();
  for (Key key : keys_.feed({bytes, static_cast<std::size_t>(n)})) {
    switch (key) {
      case Key::kPause:
        paused_ = !paused_;
        static_cast<void>(client_->set_paused(paused_));
        break;
      case Key::kBack:
        static_cast<void>(client_->seek_by(-kSeekStep));
        break;
      case Key::kForward:
        static_cast<void>(client_->seek_by(kSeekStep));
        break;
      case Key::kNext:
        static_cast<void>(client_->next());
        break;
      case Key::kPrevious:
        static_cast<void>(client_->previous());
        break;
      case Key::kQuit:
        stop_ = true;
        break;
    }
  }
}

Result<void> PlaySession::finish() {
  view_.notice = "saying goodbye to peers and trackers; Ctrl-C quits at once";
  if (screen_) {
    look();
    screen_->draw(render_view(view_, size_));
  }
  static_cast<void>(client_->stop());  // first, so that the report is of the whole
  const auto finished = client_->finish();
  if (!finished) return error_of(finished.error());
  pull_events();
  const auto report = client_->report();
  if (!report) return error_of(report.error());
  screen_.reset();
  client_.reset();
  const int columns =
      is_terminal(STDOUT_FILENO) ? terminal_size(STDOUT_FILENO).columns : kSummaryColumns;
  for (const std::string& line : render_summary(figures_of(*report), columns)) {
    std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);
  auto written = write_files(*report);
  if (!written) return written;
  if (!ended_ || ended_->result >= 0) return {};
  return io_error(ended_->text.empty() ? "playing failed" : ended_->text);
}

Result<void> PlaySession::write_files(const api::Report& report) {
  if (!settings_.report.empty()) {
    auto written = write_file(settings_.report, report.json());
    if (!written) return written;
  }
  return trace_ ? trace_->close() : Result<void>();
}

}  // namespace tributary::demo
