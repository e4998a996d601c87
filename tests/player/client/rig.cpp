#include "tests/player/client/rig.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/net/digests.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/metainfo_build.h"
#include "engine/wire/piece_hasher.h"
#include "player/media/scan.h"
#include "tests/support/any_port.h"

namespace tributary::player {
namespace {

std::shared_ptr<core::Metainfo> read_torrent(const std::string& path) {
  auto parsed = wire::parse_metainfo(read_bytes(path), net::kDigester);
  REQUIRE(parsed.ok());
  return std::make_shared<core::Metainfo>(*std::move(parsed));
}

}  // namespace

void run_command(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

std::string make_directory(const std::string& name) {
  namespace fs = std::filesystem;
  static const fs::path kRoot =
      fs::temp_directory_path() / ("tributary-client-" + std::to_string(getpid()));
  static const struct Cleaner {
    ~Cleaner() {
      std::error_code ignored;
      fs::remove_all(kRoot, ignored);
    }
  } kCleaner;
  fs::create_directories(kRoot / name);
  return kRoot / name;
}

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
}

Rig::Rig(std::string directory) : directory_(std::move(directory)) {
  auto origin = cdn::Origin::serve(loop_, directory_, kAnyPort);
  REQUIRE(origin.ok());
  origin_ = *std::move(origin);
  auto tracker = net::TrackerServer::serve(loop_, kAnyPort, {}, 1);
  REQUIRE(tracker.ok());
  tracker_ = *std::move(tracker);
}

Rig::~Rig() { stop(); }

std::string Rig::publish(const std::string& name, Bytes piece_length, bool with_edge,
                         bool with_hints) {
  const std::string path = directory_ + "/" + name;
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  wire::PieceHasher hasher(piece_length, net::kDigester);
  hasher.begin_file();
  hasher.add(bytes);
  wire::HashedFiles hashed = hasher.finish();
  auto scan = scan_file(path);
  REQUIRE(scan.ok());
  wire::Publication publication;
  publication.name = name;
  publication.piece_length = piece_length;
  publication.files.push_back(
      {name, hashed.lengths[0], hashed.leaves[0], with_hints ? scan->hints : core::FileHints{}});
  publication.piece_hashes = hashed.piece_hashes;
  publication.trackers = {{tracker_->announce_url()}};
  if (with_edge) publication.edges = {edge()};
  auto torrent = wire::build_metainfo(publication, net::kDigester);
  REQUIRE(torrent.ok());
  write_bytes(path + ".torrent", {torrent->begin(), torrent->end()});
  return path + ".torrent";
}

void Rig::add_seed(const std::string& torrent_path, BitRate up) {
  HostOptions options;
  options.policy = core::Policy::peers_only();
  options.listen = kAnyPort;
  options.up = up;
  auto host = Host::create(loop_, std::move(options), {});
  REQUIRE(host.ok());
  Host& seed = **host;
  seeds_.push_back(*std::move(host));
  bool ready = false;
  seed.open(read_torrent(torrent_path), [&](const OpenTorrent& torrent) {
    seed.add_source(torrent.id, directory_, {}, [&seed, &ready, id = torrent.id](Bitfield) {
      seed.share(id, true);
      ready = true;
    });
  });
  REQUIRE(loop_.run_until([&] { return ready && tracker_->announces() >= 2; }, 20s));
}

void Rig::run() {
  thread_ = std::thread([this] { loop_.run(); });
}

void Rig::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

}  // namespace tributary::player
