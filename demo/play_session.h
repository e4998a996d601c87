// One run of `play`: the player, the keys, the screen or the lines, the end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tributary/tributary.hpp>
#include <vector>

#include "demo/keys.h"
#include "demo/live_view.h"
#include "demo/sharing_limits.h"
#include "demo/terminal.h"
#include "demo/trace_writer.h"
#include "demo/wake_pipe.h"
#include "engine/base/result.h"

namespace tributary::demo {

struct PlaySettings {
  std::vector<std::string> sources;
  api::Options client;   // its wakeup and trace are set here
  std::string notice;    // shown once at the start
  SharingLimits linger;  // after the last track; without limits nothing is shared then
  std::string report;    // files; empty: none
  std::string trace;
};

// Owner's thread only. Signals arrive through `wake`: 's' to stop, 'r' to redraw after a stop and
// continue of the process; and so do the client's events, 'e'.
class PlaySession {
 public:
  PlaySession(PlaySettings settings, const WakePipe& wake);

  // Plays until the end, 'q' or a stop. Writes report, trace and summary whichever it was. Errors:
  // of the sources, the port, the disk, or of playing itself.
  Result<void> run();

 private:
  Result<void> open();
  Result<void> start_trace();
  Result<void> load();
  void play();
  void linger();
  Result<void> finish();
  Result<void> write_files(const api::Report& report);

  // Shows the present state and waits for the next moment to do so; handles keys meanwhile.
  void step();
  void look();
  // Without a limit: until something happens.
  void wait(std::optional<Duration> limit);
  void on_wake(char what);
  void pull_events();
  void on(const api::Event& event);
  void tell_resolving(const std::string& text);
  void read_keys();

  PlaySettings settings_;
  const WakePipe& wake_;
  std::unique_ptr<TraceWriter> trace_;  // outlives the client, which writes to it
  std::optional<api::Client> client_;
  std::optional<api::Event> loaded_;
  std::optional<api::Event> ended_;
  std::optional<Screen> screen_;
  ViewSize size_;
  KeyParser keys_;
  LiveView view_;
  TimePoint line_due_;
  std::string told_;  // the message that the lines showed last
  bool paused_ = false;
  bool stop_ = false;
};

}  // namespace tributary::demo
