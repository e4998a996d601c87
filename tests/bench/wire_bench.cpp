// One side of a transfer of a whole torrent between two processes; prints one JSON line of costs.
//
//   wire_bench seed TORRENT FOLDER          until its standard input ends
//   wire_bench leech TORRENT FOLDER PORT    until it has all, from PORT
//
// At 127.0.0.1 and by TCP; by uTP and from another address where two more arguments say `utp` and
// the address. A last word "encrypted" has all connections in RC4.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "demo/torrent_file.h"
#include "engine/net/address.h"
#include "engine/net/loop.h"
#include "player/client/host.h"

namespace {

using tributary::Endpoint;
using tributary::TimePoint;
using tributary::core::Metainfo;
using tributary::core::Swarm;
using tributary::net::Carriers;
using tributary::net::Loop;
using tributary::player::Host;
using tributary::player::HostOptions;
using tributary::player::OpenTorrent;
using namespace std::chrono_literals;

constexpr auto kLimit = 600s;

auto encryption = tributary::core::EncryptionMode::kOff;
// The two further arguments: the address is the seed's.
Carriers carriers = Carriers::kTcp;
Endpoint address = Endpoint::v4(127, 0, 0, 1, 0);

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Not ru_maxrss, which a process inherits from the one that started it.
long peak_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kib = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kib;
  }
  return kib;
}

// Costs from its creation on.
class Meter {
 public:
  explicit Meter(Loop& loop) : loop_(loop), start_(loop.now()), cpu_(cpu_seconds()) {}

  void stop_clock() { end_ = loop_.now(); }
  void print(const Host& host) const {
    const auto link = host.link_totals();
    const double wall_s = std::chrono::duration<double>(end_ - start_).count();
    std::printf("{\"wall_s\": %.3f, \"cpu_s\": %.3f, \"peak_kib\": %ld, \"bytes\": %lld}\n", wall_s,
                cpu_seconds() - cpu_, peak_kib(),
                static_cast<long long>((link.payload_in + link.payload_out).count()));
    std::fflush(stdout);
  }

 private:
  Loop& loop_;
  TimePoint start_;
  TimePoint end_{};
  double cpu_;
};

std::shared_ptr<const Metainfo> read_torrent(const std::string& path) {
  auto metainfo = tributary::demo::read_torrent(path);
  if (metainfo) return std::make_shared<const Metainfo>(*std::move(metainfo));
  std::fprintf(stderr, "wire_bench: %s\n", metainfo.error().message.c_str());
  std::exit(2);
}

std::unique_ptr<Host> make_host(Loop& loop, HostOptions options, const Endpoint& listen) {
  options.policy = tributary::core::Policy::peers_only();
  options.encryption = encryption;
  options.listen = listen;
  options.carriers = carriers;
  auto host = Host::create(loop, std::move(options), {});
  if (host) return *std::move(host);
  std::fprintf(stderr, "wire_bench: %s\n", host.error().message.c_str());
  std::exit(1);
}

void close(Loop& loop, Host& host) {
  bool closed = false;
  host.close([&closed] { closed = true; });
  loop.run_until([&closed] { return closed; }, 60s);
}

int seed(const std::string& torrent_path, const std::string& folder) {
  Loop loop;
  const auto host = make_host(loop, {}, address);
  bool ready = false;
  host->open(read_torrent(torrent_path), [&](const OpenTorrent& torrent) {
    host->add_source(torrent.id, folder, {}, [&, id = torrent.id](const auto&) {
      host->share(id, true);
      ready = true;
    });
  });
  if (!loop.run_until([&ready] { return ready; }, kLimit)) return 1;
  std::printf("listening on %d\n", int{host->listening()->port});
  std::fflush(stdout);
  Meter meter(loop);
  std::thread waiter([&loop] {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  waiter.join();
  meter.stop_clock();
  meter.print(*host);
  close(loop, *host);
  return 0;
}

int leech(const std::string& torrent_path, const std::string& folder, int port) {
  Loop loop;
  HostOptions options;
  options.cache_directory = folder;
  const auto host = make_host(loop, std::move(options), Endpoint::v4(127, 0, 0, 1, 0));
  OpenTorrent opened;
  host->open(read_torrent(torrent_path), [&](const OpenTorrent& torrent) { opened = torrent; });
  if (!loop.run_until([&opened] { return opened.info != nullptr; }, kLimit)) return 1;
  Meter meter(loop);
  host->set_background(opened.id, true);
  address.port = static_cast<std::uint16_t>(port);
  host->add_peer(opened.id, address);
  const auto complete = [&] {
    const Swarm* swarm = host->node().swarm(opened.id);
    return swarm && swarm->have_blocks().all();
  };
  const bool done = loop.run_until(complete, kLimit);
  meter.stop_clock();
  close(loop, *host);
  meter.print(*host);
  return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[argc - 1]) == "encrypted") {
    encryption = tributary::core::EncryptionMode::kRequired;
    --argc;
  }
  const std::string side = argc > 1 ? argv[1] : "";
  if (argc > 2 && std::string(argv[argc - 2]) == "utp") {
    carriers = Carriers::kUtp;
    const auto at = tributary::net::parse_endpoint(std::string(argv[argc - 1]) + ":0");
    if (!at) return 2;
    address = *at;
    argc -= 2;
  }
  if (side == "seed" && argc == 4) return seed(argv[2], argv[3]);
  if (side == "leech" && argc == 5) return leech(argv[2], argv[3], std::atoi(argv[4]));
  std::fprintf(stderr,
               "usage: wire_bench seed TORRENT FOLDER | leech TORRENT FOLDER PORT [utp ADDRESS]\n");
  return 2;
}
