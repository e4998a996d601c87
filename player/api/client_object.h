// What a tributary_client stands for: a player, its callbacks and its events.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "player/api/event_queue.h"
#include "player/api/handles.h"
#include "player/api/notifier.h"
#include "player/api/options.h"
#include "player/client/client.h"

namespace tributary::capi {

// The track of a list in the API's words; it does not change.
struct TrackText {
  std::string title;
  std::string path;
  std::string torrent;
  std::string info_hash;
  Bytes length;
  Duration duration{};
  bool verifiable = true;
};

// Thread-safe. Owns the threads of one client. Invariant: the list of tracks is there, and does not
// change, from the moment that loaded() holds.
class ClientObject final : public Object {
 public:
  // Errors: of an option; of the port, the cache, the sink.
  static Result<std::shared_ptr<ClientObject>> open(const tributary_options& options);
  ~ClientObject() override;

  // Ends waiting for events, and loading.
  void interrupt() override;
  bool in_callback() const { return notifier_.is_own_thread(); }

  // Errors of these are negative, and have their message: STATE.
  int load(std::vector<std::string> sources);
  int start();
  void cancel_load();
  void stop();
  void finish();

  bool loaded() const { return loaded_; }
  bool finished() const { return finished_; }
  const std::vector<player::PlaylistItem>& items() const { return items_; }
  const std::vector<TrackText>& tracks() const { return tracks_; }
  const std::string& address() const { return address_; }
  player::Client& player() { return *player_; }
  EventQueue& events() { return events_; }
  void change_conduct(const std::function<void(Conduct&)>& change);

 private:
  struct Callbacks {
    void* user;
    tributary_wakeup_fn wakeup;
    tributary_log_fn log;
    tributary_log_level log_level;
    tributary_decision_fn decision;
    tributary_refused_fn refused;
    tributary_trace_fn trace;
  };

  explicit ClientObject(const tributary_options& options);
  void set_callbacks(player::ClientOptions& options);
  void log(LogLevel level, std::string_view text);
  void trace(const std::string& line);
  void on_dropped(Notifier::Lane lane, std::size_t count) const;
  void on_moment(const player::PlayMoment& moment);
  void on_refused(std::size_t track, const std::string& url, int status);
  void run_load(const std::vector<std::string>& sources, const std::stop_token& stop);
  void end_load();

  const Callbacks callbacks_;
  Notifier notifier_;  // outlives the player, whose threads use it
  EventQueue events_;
  std::mutex conduct_mutex_;
  Conduct conduct_;
  std::string address_;
  std::vector<player::PlaylistItem> items_;
  std::vector<TrackText> tracks_;
  std::atomic<bool> loaded_ = false;
  std::atomic<bool> finished_ = false;
  player::PlayMoment told_;                      // loop thread
  bool ended_told_ = false;                      // the same
  bool trace_cut_ = false;                       // the same; a line was dropped
  std::map<std::size_t, TimePoint> refused_at_;  // the same; when the callback was called last
  std::mutex load_mutex_;
  bool loading_ = false;
  bool closing_ = false;
  bool started_ = false;
  std::mutex ending_mutex_;
  std::unique_ptr<player::Client> player_;
  std::jthread loader_;
};

// What a state is called in the API.
inline tributary_state state_of(player::PlayState state) {
  return static_cast<tributary_state>(state);
}

}  // namespace tributary::capi
