// A small deployment on loopback for end-to-end tests: origin, tracker and seeds on one loop
// thread.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cdn/http/origin.h"
#include "engine/core/torrent_info.h"
#include "engine/net/loop.h"
#include "engine/net/tracker_server.h"
#include "player/client/client.h"

namespace tributary::player {

// Serves `directory`. Everything is set up before run() and looked at after stop().
class Rig {
 public:
  explicit Rig(std::string directory);
  ~Rig();

  // Writes DIRECTORY/NAME.torrent for DIRECTORY/NAME, with the rig's edge and tracker in it.
  std::string publish(const std::string& name, Bytes piece_length = 16_KiB, bool with_edge = true,
                      bool with_hints = true);
  // A seed of the torrent's file in `directory` (other than the rig's to serve other bytes).
  void add_seed(const std::string& torrent_path, BitRate up = kUnlimited);
  void run();
  void stop();

  std::string edge() const { return origin_->url() + "/"; }
  const cdn::OriginCounters& origin() const { return origin_->counters(); }
  net::Loop& loop() { return loop_; }

 private:
  const std::string directory_;
  net::Loop loop_;
  std::unique_ptr<cdn::Origin> origin_;
  std::unique_ptr<net::TrackerServer> tracker_;
  std::vector<std::unique_ptr<Host>> seeds_;
  std::thread thread_;
};

// A folder of its own below the temporary directory, removed with the process.
std::string make_directory(const std::string& name);
void run_command(const std::string& command);
std::vector<std::uint8_t> read_bytes(const std::string& path);
void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes);

}  // namespace tributary::player
