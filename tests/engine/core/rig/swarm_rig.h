// One swarm in the hands of a test: a track of one-second blocks, scripted peers and a scripted
// CDN, and every action as one line of text.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/core/swarm.h"

// Failing checks show the lines.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text = "{";
    for (const std::string& line : lines) text += (text.size() > 1 ? ", " : "") + line;
    return (text + "}").c_str();
  }
};

namespace tributary::core {

inline ConnId conn_of(int n) { return ConnId(kInboundBit.value() | static_cast<std::uint64_t>(n)); }

PeerId peer_id_of(int n);
Sha256 hash_of(std::uint8_t n);

// What a test's torrent is like. A block is 16 KiB and lasts one second.
struct TrackShape {
  int blocks = 60;
  int blocks_per_piece = 1;
  bool v1 = false;
  bool v2 = true;
  bool is_private = false;
  std::vector<std::vector<std::string>> trackers{};
  std::uint16_t dht_port = 0;  // 0: the host has no DHT
  bool local = false;          // the host announces on the local network
  Bytes info_size{};           // of the info dictionary
  bool upload = true;
  bool super_seed = false;
  bool hole_punching = false;   // the host dials by uTP
  bool rank_addresses = false;  // and learns its own
  bool overlay = false;         // the host takes part in it
  bool loopback_only = false;   // and is reached from this machine alone
};

SwarmParams swarm_params(TorrentId id, const Policy& policy, int self,
                         const TrackShape& shape = {});
Metainfo make_track(const TrackShape& shape);

// What actions are, each as describe() says it.
using Lines = std::vector<std::string>;

class SwarmRig {
 public:
  static constexpr TorrentId kTorrent{7};
  static constexpr FileIndex kFile{0};
  // Added to a deadline gives the CDN's last safe moment; transfers take no time.
  static constexpr Duration kFirstByte = 500ms;

  explicit SwarmRig(const Policy& policy = Policy::adaptive(), const TrackShape& shape = {},
                    int self = 1000)
      : meta_(make_track(shape)),
        swarm_(meta_, swarm_params(kTorrent, policy, self, shape), Bitfield(), bans_, now_) {}

  Swarm& swarm() { return swarm_; }
  const Swarm& swarm() const { return swarm_; }
  BanList& bans() { return bans_; }
  TimePoint now() const { return now_; }
  const std::vector<Action>& actions() const { return last_; }

  // Feeds the input and returns what comes of it. A verdict speaks of the blocks' last Verify where
  // it names none.
  Lines in(const Input& input);
  Lines tick();
  // Lets time pass, ticking at each deadline.
  Lines pass(Duration time);
  Lines drain();

  // --- the CDN ---
  Lines cdn_up() { return in(CdnHealth{kTorrent, true, kFirstByte, kUnlimited}); }
  Lines cdn_down() { return in(CdnHealth{kTorrent, false, kFirstByte, kUnlimited}); }
  const std::vector<CdnFetch>& fetches() const { return fetches_; }
  Lines cdn_block(CdnRequestId request, int block);
  // All blocks of the last fetch arrive and verify.
  void cdn_delivers();

  // --- peers ---
  Lines connect(int n, bool fast = true, bool v2 = false, bool dht = false);
  Lines say(int n, Message message);
  // A complete peer that has unchoked us.
  Lines seed(int n, bool fast = true);
  Lines piece(int n, int block);
  // What the peer was asked for and has not answered, in order; cancelled ones left out.
  std::deque<int>& asked(int n) { return asked_[conn_of(n)]; }
  Lines reject(int n, int block);
  Lines verified(int block, bool good = true);
  // The block comes from the peer and is good.
  Lines gives(int n, int block);

  // --- playback ---
  Lines start(Duration position = 0s);
  // What is at `position` is heard after `from_now`.
  Lines play(Duration position, Duration from_now = 0s);

  BufferId buffer() { return BufferId(++buffers_); }

 private:
  int block_of(const BlockSpan& span) const;

  const Metainfo meta_;
  BanList bans_;
  TimePoint now_{};
  Swarm swarm_;
  std::vector<Action> last_;
  std::vector<CdnFetch> fetches_;
  std::map<ConnId, std::deque<int>> asked_;
  std::map<BlockIndex, VerifyId> verifies_;  // by first block, the last
  std::uint64_t buffers_ = 0;
};

// The lines that contain `part`.
Lines with(const Lines& lines, const std::string& part);

}  // namespace tributary::core
