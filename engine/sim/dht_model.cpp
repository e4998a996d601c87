#include "engine/sim/dht_model.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/sim/dht_digest.h"

namespace tributary::sim {
namespace {

namespace dht = core::dht;

// Whom a newcomer knows: what a torrent, a command line or the last session names.
constexpr int kDoors = 3;

dht::NodeId id_of(const InfoHash& info_hash) {
  dht::NodeId id;
  std::copy_n(info_hash.bytes.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

}  // namespace

void DhtModel::join(HostId id, const Endpoint& at, bool reachable) {
  dht::NodeParams params;
  params.id = dht::secure_id(at, random_);
  params.digest = &mix_digest;
  for (std::uint8_t& b : params.key) b = static_cast<std::uint8_t>(random_.below(256));
  params.read_only = !reachable;
  // Hosts of a world have addresses in a row, and are neighbours all the same.
  params.table.per_subnet = params.table.per_subnet_in_bucket = dht::kBucketSize;
  params.lookup.per_subnet = dht::kBucketSize;
  Host& host = hosts_[id];
  host.at = at;
  host.reachable = reachable;
  host.node = std::make_unique<dht::Node>(params, queue_.now());
  by_endpoint_[at] = id;
  join_through_others(host);
  if (reachable) doors_.push_back(id);
  drain(id, host);
}

void DhtModel::join_through_others(Host& host) {
  std::vector<Endpoint> known;
  for (int i = 0; i < kDoors && !doors_.empty(); ++i) {
    known.push_back(hosts_.at(doors_[random_.below(doors_.size())]).at);
  }
  std::erase(known, host.at);
  host.node->bootstrap(known, queue_.now());
}

void DhtModel::leave(HostId id) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  queue_.cancel(found->second.timer);
  by_endpoint_.erase(found->second.at);
  std::erase(doors_, id);
  hosts_.erase(found);
}

void DhtModel::search(HostId id, core::TorrentId torrent, const InfoHash& info_hash) {
  Host& host = hosts_.at(id);
  const auto is_for = [torrent](const auto& entry) { return entry.second == torrent; };
  if (std::any_of(host.searches.begin(), host.searches.end(), is_for)) return;
  if (!host.node->joined()) join_through_others(host);
  const dht::NodeId target = id_of(info_hash);
  const dht::LookupId lookup = host.reachable
                                   ? host.node->announce(target, host.at.port, queue_.now())
                                   : host.node->find_peers(target, queue_.now());
  host.searches[lookup] = torrent;
  drain(id, host);
}

void DhtModel::suggest(HostId id, const Endpoint& node) {
  Host& host = hosts_.at(id);
  host.node->bootstrap({node}, queue_.now());
  drain(id, host);
}

void DhtModel::on_event(const Event& event) {
  if (event.kind == kArrival) {
    const Id<DatagramTag, std::uint64_t> id(event.id);
    const Datagram datagram = std::move(*flying_.find(id));
    flying_.erase(id);
    return arrive(event.host, datagram);
  }
  Host& host = hosts_.at(event.host);
  host.timer = kNoEvent;
  host.node->tick(queue_.now());
  drain(event.host, host);
}

// What nobody asked for does not pass a NAT.
void DhtModel::arrive(HostId to, const Datagram& datagram) {
  const auto found = hosts_.find(to);
  if (found == hosts_.end()) return;
  const bool asks = std::holds_alternative<dht::Query>(datagram.message.body);
  if (asks && !found->second.reachable) return;
  found->second.node->handle(datagram.from, datagram.message, queue_.now());
  drain(to, found->second);
}

// What was found is told last: who hears of it may search, or leave.
void DhtModel::drain(HostId id, Host& host) {
  std::vector<std::pair<core::TorrentId, std::vector<Endpoint>>> news;
  while (auto action = host.node->poll()) {
    if (auto* datagram = std::get_if<dht::SendDatagram>(&*action)) {
      send(id, host, std::move(*datagram));
    } else if (auto* found = std::get_if<dht::PeersFound>(&*action)) {
      const auto search = host.searches.find(found->lookup);
      if (search != host.searches.end()) news.emplace_back(search->second, std::move(found->peers));
    } else if (const auto* done = std::get_if<dht::LookupDone>(&*action)) {
      host.searches.erase(done->lookup);
    }
  }
  const TimePoint deadline = host.node->next_deadline();
  if (deadline == kNever) {
    queue_.cancel(std::exchange(host.timer, kNoEvent));
  } else if (!queue_.move(host.timer, deadline)) {
    host.timer = queue_.schedule(deadline, {Owner::kDht, kTick, id, 0});
  }
  for (const auto& [torrent, peers] : news) handler_.dht_found(id, torrent, peers);
}

void DhtModel::send(HostId from, const Host& sender, dht::SendDatagram&& datagram) {
  ++datagrams_;
  const auto to = by_endpoint_.find(datagram.to);
  if (to == by_endpoint_.end()) return;
  const auto id = flying_.emplace(Datagram{sender.at, std::move(datagram.message)});
  queue_.schedule(links_.latency(from, to->second),
                  {Owner::kDht, kArrival, to->second, id.value()});
}

}  // namespace tributary::sim
