#include "engine/sim/dht_net.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/sim/dht_digest.h"

namespace tributary::sim {
namespace {

namespace dht = core::dht;

constexpr std::uint16_t kPort = 6881;
// First octets of hosts: public ones, in a row. Those behind them belong to nobody.
constexpr std::uint32_t kFirstNet = 11;
constexpr std::uint32_t kNets = 89;
constexpr std::uint32_t kNobodysNet = 101;

// A /24 of its own for each host.
Endpoint endpoint_of(std::size_t index) {
  const auto i = static_cast<std::uint32_t>(index);
  return Endpoint::v4(static_cast<std::uint8_t>(kFirstNet + i % kNets),
                      static_cast<std::uint8_t>(i / kNets >> 8),
                      static_cast<std::uint8_t>(i / kNets), 1, kPort);
}

}  // namespace

DhtNet::DhtNet(const DhtNetParams& params) : params_(params), random_(params.seed) {
  TRIBUTARY_CHECK(params.nodes > 0 && params.nodes <= 5'000'000);
  hosts_.resize(params.nodes);
  for (std::size_t i = 0; i < params.nodes; ++i) add_host(i);
  sort_by_id();
}

void DhtNet::add_host(std::size_t index) {
  Host& host = hosts_[index];
  host.endpoint = endpoint_of(index);
  host.id = dht::secure_id(host.endpoint, random_);
  const auto spread =
      static_cast<std::uint64_t>((params_.most_delay - params_.least_delay).count());
  host.delay = params_.least_delay + Duration(static_cast<std::int64_t>(random_.below(spread + 1)));
  const bool lies = random_.chance(static_cast<std::uint64_t>(params_.lying_percent), 100);
  if (lies && index > 0) {
    host.manner = Manner::kLiar;
    return;
  }
  dht::NodeParams node = params_.node;
  node.id = host.id;
  node.digest = &mix_digest;
  for (std::uint8_t& b : node.key) b = static_cast<std::uint8_t>(random_.below(256));
  host.node = std::make_unique<dht::Node>(node, queue_.now());
}

void DhtNet::sort_by_id() {
  by_id_.resize(hosts_.size());
  for (std::uint32_t i = 0; i < by_id_.size(); ++i) by_id_[i] = i;
  std::sort(by_id_.begin(), by_id_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return hosts_[a].id < hosts_[b].id; });
}

void DhtNet::join_all(Duration spacing, Duration settle) {
  TRIBUTARY_CHECK(params_.node.upkeep);
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    run_until(queue_.now() + spacing);
    if (!hosts_[i].node || i == 0) continue;
    const HostId host(static_cast<std::int32_t>(i));
    hosts_[i].node->bootstrap({hosts_[random_.below(i)].endpoint, hosts_[0].endpoint},
                              queue_.now());
    drain(host);
  }
  run_until(queue_.now() + settle);
}

void DhtNet::fill_tables() {
  for (Host& host : hosts_) {
    if (host.node) fill_table(host);
  }
}

// Who shares exactly so many bits with an id stands in one run of the sorted ids; the runs for more
// and more bits lie within each other's siblings.
void DhtNet::fill_table(Host& host) {
  std::vector<dht::SavedContact> table;
  auto begin = by_id_.begin();
  auto end = by_id_.end();
  for (int bit = 0; bit < dht::kIdBits && end - begin > 1; ++bit) {
    const auto is_zero = [&](std::uint32_t i) {
      return (hosts_[i].id.bytes[static_cast<std::size_t>(bit) / 8] >> (7 - bit % 8) & 1) == 0;
    };
    const auto middle = std::partition_point(begin, end, is_zero);
    const bool own_zero =
        (host.id.bytes[static_cast<std::size_t>(bit) / 8] >> (7 - bit % 8) & 1) == 0;
    const auto first = own_zero ? middle : begin;
    const auto count = static_cast<std::size_t>((own_zero ? end : middle) - first);
    const std::size_t start = count == 0 ? 0 : random_.below(count);
    // A random run of them: ids are random, hence neighbours in order are strangers.
    for (std::size_t i = 0; i < std::min(count, dht::kBucketSize); ++i) {
      const Host& other = hosts_[first[static_cast<std::ptrdiff_t>((start + i) % count)]];
      table.push_back({{other.id, other.endpoint}, Duration::zero()});
    }
    (own_zero ? end : begin) = middle;
  }
  host.node->restore(table, Duration::zero(), queue_.now());
}

void DhtNet::depart(int percent) {
  for (Host& host : hosts_) {
    if (host.manner != Manner::kHonest) continue;
    if (random_.chance(static_cast<std::uint64_t>(percent), 100)) host.manner = Manner::kGone;
  }
}

DhtSearch DhtNet::announce(HostId host, const dht::NodeId& info_hash, std::uint16_t port) {
  return run_watch(host, at(host).node->announce(info_hash, port, queue_.now()), Endpoint());
}

DhtSearch DhtNet::search(HostId host, const dht::NodeId& info_hash, const Endpoint& peer) {
  return run_watch(host, at(host).node->find_peers(info_hash, queue_.now()), peer);
}

DhtSearch DhtNet::run_watch(HostId host, dht::LookupId lookup, const Endpoint& peer) {
  TRIBUTARY_CHECK(at(host).manner == Manner::kHonest);
  const TimePoint start = queue_.now();
  watch_ = Watch{host, lookup, peer, {}, false};
  drain(host);
  while (!watch_->done) {
    const auto event = queue_.pop();
    TRIBUTARY_CHECK(event.has_value());  // a search always waits for something
    fire(*event);
  }
  DhtSearch result = std::move(watch_->result);
  watch_.reset();
  result.took = queue_.now() - start;
  return result;
}

HostId DhtNet::any_honest() {
  for (;;) {
    const HostId host(static_cast<std::int32_t>(random_.below(hosts_.size())));
    if (at(host).manner == Manner::kHonest) return host;
  }
}

std::vector<dht::Contact> DhtNet::truly_closest(const dht::NodeId& target,
                                                std::size_t count) const {
  std::vector<std::pair<dht::NodeId, const Host*>> all;
  for (const Host& host : hosts_) {
    if (host.manner == Manner::kHonest) all.emplace_back(dht::distance(host.id, target), &host);
  }
  count = std::min(count, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<dht::Contact> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({all[i].second->id, all[i].second->endpoint});
  return out;
}

std::size_t DhtNet::joined() const {
  return static_cast<std::size_t>(std::count_if(hosts_.begin(), hosts_.end(), [](const Host& host) {
    return host.manner == Manner::kHonest && host.node->joined();
  }));
}

void DhtNet::run_until(TimePoint end) {
  while (queue_.next_time() <= end) fire(*queue_.pop());
  queue_.advance(end);
}

// Events are a node's deadline, or a datagram that arrives.
void DhtNet::fire(const Event& event) {
  if (event.owner == Owner::kNode) {
    Host& host = at(event.host);
    host.timer = kNoEvent;
    if (host.manner != Manner::kHonest) return;
    host.node->tick(queue_.now());
    return drain(event.host);
  }
  const auto slot = static_cast<std::size_t>(event.id);
  const Datagram datagram = std::move(flying_[slot]);
  free_.push_back(slot);
  deliver(datagram);
}

void DhtNet::deliver(const Datagram& datagram) {
  const auto to = host_of(datagram.to);
  if (!to || at(*to).manner == Manner::kGone) return;
  if (at(*to).manner == Manner::kLiar) return lie(*to, datagram);
  at(*to).node->handle(at(datagram.from).endpoint, datagram.message, queue_.now());
  drain(*to);
}

void DhtNet::drain(HostId id) {
  Host& host = at(id);
  while (auto action = host.node->poll()) {
    if (auto* datagram = std::get_if<dht::SendDatagram>(&*action)) {
      send(id, datagram->to, std::move(datagram->message));
    } else {
      note(id, *action);
    }
  }
  const TimePoint deadline = host.node->next_deadline();
  if (deadline == kNever) {
    queue_.cancel(host.timer);
    host.timer = kNoEvent;
  } else if (!queue_.move(host.timer, deadline)) {
    host.timer = queue_.schedule(deadline, Event{Owner::kNode, 0, id, 0});
  }
}

void DhtNet::send(HostId from, const Endpoint& to, dht::Message message) {
  ++datagrams_;
  if (random_.chance(static_cast<std::uint64_t>(params_.loss_permille), 1000)) return;
  const auto receiver = host_of(to);
  if (!receiver) return;
  std::size_t slot = flying_.size();
  if (free_.empty()) {
    flying_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  flying_[slot] = {from, to, std::move(message)};
  queue_.schedule(at(from).delay + at(*receiver).delay, Event{Owner::kPeerNet, 0, *receiver, slot});
}

void DhtNet::note(HostId host, const dht::Action& action) {
  if (!watch_ || watch_->host != host) return;
  if (const auto* step = std::get_if<dht::LookupStep>(&action)) {
    if (step->lookup == watch_->lookup && !watch_->result.found) watch_->result.hops = step->hop;
  } else if (const auto* found = std::get_if<dht::PeersFound>(&action)) {
    const auto& peers = found->peers;
    const bool named = std::find(peers.begin(), peers.end(), watch_->peer) != peers.end();
    if (found->lookup == watch_->lookup && named) watch_->result.found = true;
  } else if (const auto* done = std::get_if<dht::LookupDone>(&action)) {
    if (done->lookup != watch_->lookup) return;
    watch_->done = true;
    watch_->result.progress = done->progress;
    watch_->result.announced = done->announced;
    for (const auto& holder : done->closest) watch_->result.closest.push_back(holder.node);
  }
}

std::optional<HostId> DhtNet::host_of(const Endpoint& endpoint) const {
  const auto& a = endpoint.address;
  const std::uint32_t net = a[12];
  if (net < kFirstNet || net >= kFirstNet + kNets) return std::nullopt;
  const std::size_t index = std::size_t{a[13] * 256U + a[14]} * kNets + (net - kFirstNet);
  if (index >= hosts_.size() || hosts_[index].endpoint != endpoint) return std::nullopt;
  return HostId(static_cast<std::int32_t>(index));
}

void DhtNet::lie(HostId liar, const Datagram& datagram) {
  const auto* query = std::get_if<dht::Query>(&datagram.message.body);
  if (query == nullptr) return;
  const Endpoint asker = at(datagram.from).endpoint;
  dht::Reply reply;
  reply.id = at(liar).id;
  reply.token = "lies";
  const std::uint64_t way = random_.below(3);
  if (way == 0) reply.nodes = invented(query->target);
  if (way == 1) reply.nodes = fellows(query->target);
  if (random_.chance(1, 2)) {
    for (std::uint8_t i = 0; i < 10; ++i) {
      reply.peers.push_back(
          Endpoint::v4(kNobodysNet, i, static_cast<std::uint8_t>(random_.below(256)), 1, 1));
    }
  }
  send(liar, asker, {datagram.message.transaction, std::move(reply), asker});
}

// The best of many addresses: whoever has them all to choose from gets as close as he likes.
std::vector<dht::Contact> DhtNet::invented(const dht::NodeId& target) {
  constexpr int kTries = 500;
  std::vector<dht::Contact> out;
  for (std::uint8_t n = 0; n < dht::kBucketSize; ++n) {
    dht::Contact best;
    for (int i = 0; i < kTries; ++i) {
      const std::uint64_t net = random_.below(65536);
      const Endpoint at = Endpoint::v4(static_cast<std::uint8_t>(kNobodysNet + n),
                                       static_cast<std::uint8_t>(net >> 8),
                                       static_cast<std::uint8_t>(net), 1, kPort);
      const dht::NodeId id = dht::secure_id(at, random_);
      if (i == 0 || dht::shared_bits(id, target) > dht::shared_bits(best.id, target)) {
        best = {id, at};
      }
    }
    // Beyond what the address decides, all bits can be the target's.
    std::copy(target.bytes.begin() + 3, target.bytes.end() - 1, best.id.bytes.begin() + 3);
    out.push_back(best);
  }
  return out;
}

std::vector<dht::Contact> DhtNet::fellows(const dht::NodeId& target) const {
  const auto at = static_cast<std::ptrdiff_t>(
      std::partition_point(by_id_.begin(), by_id_.end(),
                           [&](std::uint32_t i) { return hosts_[i].id < target; }) -
      by_id_.begin());
  std::vector<dht::Contact> out;
  const auto size = static_cast<std::ptrdiff_t>(by_id_.size());
  for (std::ptrdiff_t step = 0; step < size && out.size() < dht::kBucketSize; ++step) {
    const std::ptrdiff_t i = step % 2 == 0 ? at + step / 2 : at - step / 2 - 1;
    if (i < 0 || i >= size) continue;
    const Host& host = hosts_[by_id_[static_cast<std::size_t>(i)]];
    if (host.manner == Manner::kLiar) out.push_back({host.id, host.endpoint});
  }
  return out;
}

}  // namespace tributary::sim
