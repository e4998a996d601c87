// The DHT of a world's hosts: a core::dht::Node of each, and their datagrams.
//
// Modelled: the links' latency; hosts behind NAT, who ask but answer nobody (BEP 43); hosts that
// leave without a word. Not modelled: bandwidth, loss, lies; dht_net.h has the last two.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/slot_map.h"
#include "engine/core/dht_node.h"
#include "engine/core/ids.h"
#include "engine/sim/event_queue.h"
#include "engine/sim/links.h"

namespace tributary::sim {

class DhtHandler {
 public:
  virtual ~DhtHandler() = default;
  virtual void dht_found(HostId host, core::TorrentId torrent,
                         const std::vector<Endpoint>& peers) = 0;
};

// Tracks: the nodes of the hosts that are there, the searches of each, and the datagrams under way.
class DhtModel {
 public:
  DhtModel(EventQueue& queue, const Links& links, DhtHandler& handler, std::uint64_t seed)
      : queue_(queue), links_(links), handler_(handler), random_(seed) {}

  // The host's node begins, and joins through some that are there. `at` is where peers dial the
  // host.
  void join(HostId host, const Endpoint& at, bool reachable);
  void leave(HostId host);
  bool is_here(HostId host) const { return hosts_.count(host) > 0; }

  // Looks for peers, and tells of the host as one where it is reachable. Does nothing while a
  // search for the torrent goes on. REQUIRES: it is here.
  void search(HostId host, core::TorrentId torrent, const InfoHash& info_hash);
  // Of some peer it is said that it has a node there.
  void suggest(HostId host, const Endpoint& node);

  void on_event(const Event& event);

  std::int64_t datagrams() const { return datagrams_; }

 private:
  enum Kind : std::uint8_t { kTick, kArrival };
  struct Host {
    Endpoint at;
    bool reachable = false;
    std::unique_ptr<core::dht::Node> node;
    std::map<core::dht::LookupId, core::TorrentId> searches;
    EventId timer;
  };
  struct DatagramTag;
  struct Datagram {
    Endpoint from;
    core::dht::Message message;
  };

  void join_through_others(Host& host);
  void drain(HostId id, Host& host);
  void send(HostId from, const Host& sender, core::dht::SendDatagram&& datagram);
  void arrive(HostId to, const Datagram& datagram);

  EventQueue& queue_;
  const Links& links_;
  DhtHandler& handler_;
  Random random_;
  std::map<HostId, Host> hosts_;
  std::map<Endpoint, HostId> by_endpoint_;
  std::vector<HostId> doors_;  // reachable hosts that are here, to join through
  SlotMap<DatagramTag, Datagram> flying_;
  std::int64_t datagrams_ = 0;
};

}  // namespace tributary::sim
