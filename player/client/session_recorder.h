// Turns what passes between a host and its node, its decisions and what the listener does into the
// lines of a trace that `tributary replay` reads; the format is player/client/trace.md. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "player/client/client.h"

namespace tributary::player {

// What the listener asked for.
enum class ListenerAction { kTogglePause, kSeek, kNext, kPrevious, kStop };

// Tracks: the torrents that are open, which of their files were heard, the peers' requests that are
// under way, and those to the CDN. One thread.
class SessionRecorder {
 public:
  using Write = std::function<void(const std::string& line)>;

  // Writes the session's head.
  SessionRecorder(Write write, const ClientOptions& options, TimePoint start);

  void happened(const Happening& happening, TimePoint now);
  void decided(const core::Decision& decision);
  // `by` counts for seeks.
  void acted(ListenerAction action, Duration by, TimePoint now);
  // What the session came to, once nothing happens any more.
  void ended(const Report& report, TimePoint now);

 private:
  using FileOf = std::pair<core::TorrentId, std::int32_t>;
  struct Torrent {
    OpenTorrent open;
    Bitfield verified;
  };
  struct Peer {
    core::TorrentId torrent;
    std::int64_t asked = 0;  // blocks that are under way
    TimePoint busy_since{};  // while asked > 0
    Duration busy{};         // since the last sample, up to busy_since
    Bytes got;               // since the last sample
    TimePoint sampled{};
    bool wanted = false;  // we are interested in it
    bool parted = false;  // by us
  };
  struct Request {
    core::TorrentId torrent;
    TimePoint at{};
    std::optional<TimePoint> first_byte;
  };

  struct Line;

  void on(const Opened& opened, TimePoint now);
  void on(const core::Input& input, TimePoint now);
  void on(const PlayerInput& input, TimePoint now);
  void on(const cdn::HttpInput& input, TimePoint now);
  void on(const core::Action& action, TimePoint now);
  void on(const cdn::HttpAction& action, TimePoint now);
  void connected(const core::PeerConnected& peer, TimePoint now);
  void closed(const core::PeerClosed& peer, TimePoint now);
  void heard(const core::PeerMessage& heard, TimePoint now);
  void sent(const core::Send& sent, TimePoint now);
  void count_asked(Peer& peer, std::int64_t change, TimePoint now);
  void sample(core::ConnId conn, Peer& peer, TimePoint now);
  void playback(const Playback& playback, TimePoint now);
  void name_track(const TrackRef& track, TimePoint now);

  Write write_;
  TimePoint start_;
  std::map<core::TorrentId, Torrent> torrents_;
  std::map<FileOf, bool> named_;  // whether it was played yet
  std::map<core::ConnId, TimePoint> dialled_;
  std::map<core::ConnId, Peer> peers_;
  std::map<cdn::HttpId, Request> requests_;
};

}  // namespace tributary::player
