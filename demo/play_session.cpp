#include "demo/play_session.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "demo/human.h"
#include "demo/summary.h"
#include "engine/net/address.h"
#include "engine/net/clock.h"
#include "engine/net/disk_file.h"

namespace tributary::demo {
namespace {

constexpr Duration kFrame = 200ms;  // of the live view, and of looking for the end
constexpr Duration kLineEvery = 1s;
constexpr Duration kSeekStep = 10s;
constexpr int kSummaryColumns = 100;  // where stdout is no terminal

std::string text_of(const core::FetchProgress& progress) {
  const std::string peers = human_count(progress.connected, "peer");
  if (progress.layers) return "asking " + peers + " for the piece hashes";
  if (progress.connected > 0) return "asking " + peers + " for the track list";
  if (progress.known == 0) return "looking for peers who know the track list";
  return "calling " + human_count(static_cast<std::int64_t>(progress.known), "peer");
}

}  // namespace

PlaySession::PlaySession(PlaySettings settings, const WakePipe& wake)
    : settings_(std::move(settings)), wake_(wake) {
  view_.policy = std::string(settings_.client.host.policy.name);
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
  settings_.client.resolving = [this](const core::FetchProgress& p) { return on_resolving(p); };
  TRIBUTARY_TRY(client, player::Client::create(settings_.client));
  client_ = std::move(client);
  if (const auto at = client_->listening()) view_.address = net::format_endpoint(*at);
  auto items = client_->load(settings_.sources);
  if (!items && items.error().code == ErrorCode::kCancelled) return {};  // by a stop
  if (!items) return items.error();
  if (items->empty()) return invalid("the sources hold no track; give a torrent or a media URL");
  return {};
}

Result<void> PlaySession::start_trace() {
  if (settings_.trace.empty()) return {};
  TRIBUTARY_TRY(trace, TraceWriter::open(settings_.trace));
  trace_ = std::move(trace);
  settings_.client.trace = [this](const std::string& line) { trace_->write(line); };
  return {};
}

bool PlaySession::on_resolving(const core::FetchProgress& progress) {
  wait(Duration::zero());
  const std::string text = text_of(progress);
  if (!stop_ && std::exchange(told_, text) != text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  return !stop_;
}

void PlaySession::play() {
  wait(Duration::zero());  // a stop while loading
  if (stop_) return;
  client_->start();
  line_due_ = net::read_clock() + kLineEvery;
  while (!stop_ && !client_->ended()) step();
}

void PlaySession::linger() {
  client_->stop_playback();
  const SharingLimits& limits = settings_.linger;
  const TimePoint start = net::read_clock();
  while (!stop_) {
    const core::ByteCounts& bytes = view_.snapshot.bytes;
    const Duration shared_for = net::read_clock() - start;
    if (limits.reached(shared_for, bytes.uploaded, bytes.peers + bytes.cdn())) return;
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
  if (screen_) {
    const TerminalSize terminal = terminal_size(STDOUT_FILENO);
    size_ = {terminal.columns, terminal.rows, wants_colour(STDOUT_FILENO)};
  }
  view_.snapshot = client_->snapshot(map_cells(size_));
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

void PlaySession::wait(Duration limit) {
  pollfd fds[2] = {{wake_.fd(), POLLIN, 0}, {screen_ ? STDIN_FILENO : -1, POLLIN, 0}};
  if (poll(fds, 2, static_cast<int>(limit / 1ms)) <= 0) return;
  if (fds[0].revents != 0) {
    for (char what : wake_.receive()) on_wake(what);
  }
  if ((fds[1].revents & POLLIN) != 0) read_keys();
}

void PlaySession::on_wake(char what) {
  if (what == 's') stop_ = true;
  if (what == 'r' && screen_) screen_->resume();
}

void PlaySession::read_keys() {
  char bytes[64];
  const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
  if (n <= 0) return;
  view_.notice.clear();
  for (Key key : keys_.feed({bytes, static_cast<std::size_t>(n)})) {
    switch (key) {
      case Key::kPause:
        client_->toggle_pause();
        break;
      case Key::kBack:
        client_->seek_by(-kSeekStep);
        break;
      case Key::kForward:
        client_->seek_by(kSeekStep);
        break;
      case Key::kNext:
        client_->next();
        break;
      case Key::kPrevious:
        client_->previous();
        break;
      case Key::kQuit:
        stop_ = true;
        break;
    }
  }
}

Result<void> PlaySession::finish() {
  view_.notice = "saying goodbye to peers and trackers; Ctrl-C quits at once";
  if (screen_) screen_->draw(render_view(view_, size_));
  client_->stop_playback();
  client_->finish();
  const player::ClientSnapshot last = client_->snapshot(0);
  const player::Report report = client_->report();
  screen_.reset();
  client_.reset();
  const int columns =
      is_terminal(STDOUT_FILENO) ? terminal_size(STDOUT_FILENO).columns : kSummaryColumns;
  for (const std::string& line : render_summary(report, columns)) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  if (!settings_.report.empty()) {
    auto written = net::replace_file(settings_.report, wire::as_octets(player::to_json(report)));
    if (!written) return written;
  }
  if (trace_) {
    auto closed = trace_->close();
    if (!closed) return closed;
  }
  if (last.state != player::PlayState::kFailed) return {};
  return io_error(last.message.empty() ? "playing failed" : last.message);
}

}  // namespace tributary::demo
