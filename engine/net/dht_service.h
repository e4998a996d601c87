// The DHT for one client: a node of each family on UDP, its table in a file, and the searches of
// its torrents.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/core/ids.h"
#include "engine/net/loop.h"
#include "engine/net/udp_port.h"

namespace tributary::net {

struct DhtServiceOptions {
  // Where the node is. IPv4's "any" address stands for IPv6's as well, at the same port.
  Endpoint at;
  // Bound there already, and shared with uTP; null: it is to be bound.
  std::shared_ptr<UdpPort> port{};
  // Asks, but answers nobody (BEP 43): for a client that others cannot reach.
  bool read_only = false;
  std::vector<HostPort> hosts{};  // to join through
  std::string table{};            // keeps the table across restarts; empty: nothing is kept
};

// Loop thread only; must be destroyed before the loop. Nothing is sent before the first search.
class DhtService {
 public:
  // Peers that this search had not found before, on a later turn of the loop than the search.
  using Found = std::function<void(core::TorrentId torrent, const std::vector<Endpoint>& peers)>;

  // Binds. When the port is taken, another is used: peers and nodes are told which. Reads the
  // table, which may block on the disk; what is no table is told in the log and replaced. Errors:
  // kIo.
  static Result<std::unique_ptr<DhtService>> start(Loop& loop, DhtServiceOptions options,
                                                   Found found, LogSink log);
  ~DhtService();
  DhtService(const DhtService&) = delete;
  DhtService& operator=(const DhtService&) = delete;

  // Of the first family.
  std::uint16_t port() const;
  // Further hosts to join through. Names are looked up; those that cannot be are left out.
  void add_hosts(const std::vector<HostPort>& hosts);
  void add_host(const Endpoint& host);
  // Searches for each hash as soon as the DHT is joined, and announces us there if `port` is not 0:
  // where we accept peers. A search of the same torrent that waits already is replaced.
  void search(core::TorrentId torrent, const std::vector<InfoHash>& hashes, std::uint16_t port);
  // Writes the table, if it is kept and there is one. Blocks on the disk.
  Result<void> save() const;

 private:
  class Impl;
  explicit DhtService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::net
