// tributary seed: offers data that lies on this machine.
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/engine_names.h"
#include "demo/host_options.h"
#include "demo/human.h"
#include "demo/network_options.h"
#include "demo/progress_bar.h"
#include "demo/server_session.h"
#include "demo/sharing_limits.h"
#include "demo/text_width.h"
#include "demo/torrent_file.h"
#include "engine/net/address.h"
#include "player/client/host.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "seed";
constexpr int kLineWidth = 2000;
// The farewell to trackers and peers may take so long before the program leaves all the same.
constexpr Duration kFarewell = 5s;

struct SeedArguments {
  std::vector<std::string> torrents;
  std::string directory;
  NetworkArguments network;
  SharingLimits limits;
  std::string unchoker = "tit-for-tat";
  bool super_seed = false;
  bool verbose = false;
};

// One torrent that is offered.
struct Offer {
  std::shared_ptr<const core::Metainfo> metainfo;
  player::OpenTorrent torrent;
  Bytes have;
  bool verified = false;
};

Bytes size_of(const core::TorrentInfo& info) {
  Bytes sum;
  for (const core::FileEntry& file : info.files) sum += file.pad ? 0_B : file.length;
  return sum;
}

Bytes bytes_in(const core::Layout& layout, const Bitfield& blocks) {
  Bytes sum;
  for (int b = blocks.find_next(0); b != Bitfield::kNone; b = blocks.find_next(b + 1)) {
    sum += layout.block_range(core::BlockIndex(b)).size();
  }
  return sum;
}

class Seeder {
 public:
  Seeder(ServerSession& session, const SeedArguments& arguments)
      : session_(session), arguments_(arguments) {}

  Result<void> run(std::vector<core::Metainfo> torrents);

 private:
  Result<void> open_host();
  // False when the user stopped it.
  bool verify(Offer& offer);
  Result<void> report_verified(const Offer& offer);
  std::string describe();
  Bytes size_of_all() const;
  void say_goodbye();

  ServerSession& session_;
  const SeedArguments& arguments_;
  std::unique_ptr<player::Host> host_;
  std::vector<Offer> offers_;
  Bytes last_sent_;
  TimePoint last_at_;
};

Result<void> Seeder::open_host() {
  player::HostOptions options;
  auto applied = apply(arguments_.network, options);
  if (!applied) return applied;
  TRIBUTARY_TRY(unchoker, parse_unchoker(arguments_.unchoker));
  options.policy.unchoker = unchoker;
  options.super_seed = arguments_.super_seed;
  player::HostEvents events;
  events.mapped = [](const Result<net::PortMapping>& mapping) {
    if (!mapping) return;
    std::printf("reachable from outside at %s, by %s\n",
                net::format_endpoint(mapping->external).c_str(), mapping->by.data());
    std::fflush(stdout);
  };
  auto host = player::Host::create(session_.loop(), std::move(options), std::move(events));
  if (!host) return host.error();
  host_ = *std::move(host);
  return {};
}

bool Seeder::verify(Offer& offer) {
  bool done = false;
  ProgressBar bar("verifying " + offer.metainfo->info.name);
  const Bytes piece = offer.metainfo->info.piece_length;
  host_->open(offer.metainfo, [&](const player::OpenTorrent& torrent) {
    offer.torrent = torrent;
    host_->add_source(
        torrent.id, arguments_.directory,
        [&bar, piece](std::int32_t checked, std::int32_t all) {
          bar.update(piece * checked, piece * all);
        },
        [&](const Bitfield& verified) {
          offer.have = bytes_in(*offer.torrent.layout, verified);
          done = true;
        });
  });
  if (!session_.run_until([&] { return done; })) return false;
  offer.verified = true;
  return true;
}

Result<void> Seeder::report_verified(const Offer& offer) {
  const core::TorrentInfo& info = offer.metainfo->info;
  const Bytes size = size_of(info);
  const double share = static_cast<double>(offer.have.count()) / static_cast<double>(size.count());
  const std::string figures =
      human_bytes(offer.have) + " of " + human_bytes(size) + " (" + human_percent(share) + ")";
  if (offer.have > 0_B) {
    std::printf("%s: %s verified\n", fit_text(info.name, kLineWidth).c_str(), figures.c_str());
    return {};
  }
  const auto path = std::filesystem::path(arguments_.directory) / info.name;
  return Error{ErrorCode::kNotFound, "nothing of '" + info.name + "' is at '" + path.string() +
                                         "'; --data must be the folder that holds it"};
}

std::string Seeder::describe() {
  const TimePoint now = session_.loop().now();
  const Bytes sent = host_->link_totals().payload_out;
  const BitRate rate = rate_of(sent - last_sent_, now - last_at_);
  last_sent_ = sent;
  last_at_ = now;
  std::int64_t peers = 0;
  for (const Offer& offer : offers_) {
    const core::Swarm* swarm = host_->node().swarm(offer.torrent.id);
    if (swarm) peers += static_cast<std::int64_t>(swarm->peer_count());
  }
  return "up " + human_rate(rate) + ", " + human_bytes(sent) + " sent, " +
         human_count(peers, "peer");
}

Bytes Seeder::size_of_all() const {
  Bytes sum;
  for (const Offer& offer : offers_) sum += size_of(offer.metainfo->info);
  return sum;
}

void Seeder::say_goodbye() {
  bool closed = false;
  host_->close([&closed] { closed = true; });
  session_.loop().run_until([&closed] { return closed; }, kFarewell);
}

Result<void> Seeder::run(std::vector<core::Metainfo> torrents) {
  auto opened = open_host();
  if (!opened) return opened;
  for (core::Metainfo& torrent : torrents) {
    Offer& offer = offers_.emplace_back();
    offer.metainfo = std::make_shared<const core::Metainfo>(std::move(torrent));
  }
  for (Offer& offer : offers_) {
    if (!verify(offer)) return {};  // stopped meanwhile
    auto reported = report_verified(offer);
    if (!reported) return reported;
  }
  for (const Offer& offer : offers_) host_->share(offer.torrent.id, true);
  ServerSession::announce_ready(*host_->listening());
  last_at_ = session_.loop().now();
  const auto enough = [this, start = last_at_] {
    return arguments_.limits.reached(session_.loop().now() - start,
                                     host_->link_totals().payload_out, size_of_all());
  };
  session_.run([this] { return describe(); }, enough);
  const Bytes sent = host_->link_totals().payload_out;
  say_goodbye();
  std::printf("stopped after %s sent\n", human_bytes(sent).c_str());
  return {};
}

int seed(const SeedArguments& arguments) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(arguments.directory, ignored)) {
    return fail(kName, {ErrorCode::kNotFound,
                        "'" + arguments.directory + "' is no folder; --data must hold the files"});
  }
  std::vector<core::Metainfo> torrents;
  for (const std::string& path : arguments.torrents) {
    auto torrent = read_torrent(path);
    if (!torrent) return fail(kName, torrent.error());
    torrents.push_back(*std::move(torrent));
  }
  ServerSession session(arguments.verbose);
  auto done = Seeder(session, arguments).run(std::move(torrents));
  return done ? kExitDone : fail(kName, done.error());
}

constexpr const char* kExample =
    "Everything is verified before it is offered; what is missing or wrong is left out. The data "
    "of\n"
    "a torrent lies at DIR/NAME, an album's files below it. Prints \"listening on HOST:PORT\" "
    "when\n"
    "ready; Ctrl-C says goodbye to peers and trackers.\n\n"
    "Examples:\n"
    "  tributary seed song.torrent --data music\n"
    "  tributary seed *.torrent --data music --listen 0.0.0.0:6881 --up 5M";

}  // namespace

void add_seed(CommandLine& line) {
  auto arguments = std::make_shared<SeedArguments>();
  Subcommand sub = line.add(kName, "Offer files on this machine to peers", kExample,
                            [arguments] { return seed(*arguments); });
  sub.require("torrents", "TORRENT", arguments->torrents, "What to offer");
  sub.require("--data", "DIR", arguments->directory, "The folder that holds the data");
  add_network_options(sub, arguments->network);
  sub.add("--for", "T", arguments->limits.time, parse_told_time, "End after so long");
  sub.add("--ratio", "R", arguments->limits.ratio, parse_told_ratio,
          "End when R times the size of the torrents is sent");
  sub.add("--unchoker", "NAME", arguments->unchoker, check_unchoker,
          std::string(kUnchokerHelp) + " (tit-for-tat)");
  sub.add("--super", arguments->super_seed,
          "Show pieces one by one until the peers have a whole copy (BEP 16)");
  sub.add("-v,--verbose", arguments->verbose, "Print counters where there is no terminal");
}

}  // namespace tributary::demo
