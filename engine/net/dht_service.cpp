#include "engine/net/dht_service.h"

#include <map>
#include <optional>
#include <utility>

#include "engine/net/address.h"
#include "engine/net/dht_file.h"
#include "engine/net/dht_socket.h"

namespace tributary::net {

namespace dht = core::dht;

class DhtService::Impl {
 public:
  Impl(Loop& loop, DhtServiceOptions options, Found found, LogSink log)
      : loop_(loop), options_(std::move(options)), found_(std::move(found)), log_(std::move(log)) {}
  ~Impl() { *self_ = nullptr; }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open();
  void join();
  void add_hosts(const std::vector<HostPort>& hosts);
  void add_host(const Endpoint& host);
  void search(core::TorrentId torrent, const std::vector<InfoHash>& hashes, std::uint16_t port);
  Result<void> save() const;
  const Endpoint& address() const { return families_.front().socket->address(); }

 private:
  struct Search {
    core::TorrentId torrent;
    dht::NodeId hash;
    std::uint16_t port = 0;
  };
  struct Family {
    std::unique_ptr<DhtSocket> socket;
    std::vector<Search> waiting;  // to be in the DHT
    std::map<dht::LookupId, core::TorrentId> running;
  };

  Result<void> open(const Endpoint& at);
  Result<void> open(std::shared_ptr<UdpPort> port);
  void load_table();
  void on_event(std::size_t family, const dht::Action& event);
  static void run(Family& family, const Search& search);
  void log(LogLevel level, const std::string& line) const {
    if (log_) log_(level, line);
  }

  Loop& loop_;
  DhtServiceOptions options_;
  Found found_;
  LogSink log_;
  std::optional<wire::DhtState> saved_;
  std::vector<Family> families_;
  bool joining_ = false;
  // Resolvers may answer after our end.
  std::shared_ptr<Impl*> self_ = std::make_shared<Impl*>(this);
};

// The first family must open; a machine without IPv6 does without the second.
Result<void> DhtService::Impl::open() {
  load_table();
  auto first = options_.port ? open(options_.port) : open(options_.at);
  if (!first) {
    Endpoint other = options_.at;
    other.port = 0;
    log(LogLevel::kWarning, first.error().message);
    first = open(other);
  }
  if (!first) return first;
  const Endpoint any_v4 = Endpoint::v4(0, 0, 0, 0, options_.at.port);
  if (options_.at != any_v4) return {};
  Endpoint any_v6;
  any_v6.port = address().port;
  const auto second = open(any_v6);
  if (!second) log(LogLevel::kInfo, second.error().message);
  if (second) DhtSocket::pair(*families_[0].socket, *families_[1].socket);
  return {};
}

Result<void> DhtService::Impl::open(const Endpoint& at) {
  TRIBUTARY_TRY(port, UdpPort::bind(loop_, at));
  return open(port);
}

Result<void> DhtService::Impl::open(std::shared_ptr<UdpPort> port) {
  dht::NodeParams params;
  params.read_only = options_.read_only;
  if (saved_) params.id = saved_->id;
  const std::size_t family = families_.size();
  auto socket =
      DhtSocket::share(loop_, std::move(port), params,
                       [this, family](const dht::Action& event) { on_event(family, event); });
  families_.push_back({std::move(socket), {}, {}});
  return {};
}

void DhtService::Impl::load_table() {
  if (options_.table.empty()) return;
  auto saved = load_dht_state(options_.table);
  if (saved) {
    saved_ = *std::move(saved);
  } else if (saved.error().code != ErrorCode::kNotFound) {
    log(LogLevel::kWarning, saved.error().message);
  }
}

void DhtService::Impl::join() {
  if (std::exchange(joining_, true)) return;
  for (Family& family : families_) {
    if (saved_) family.socket->restore(*saved_);
  }
  add_hosts(std::exchange(options_.hosts, {}));
}

void DhtService::Impl::add_hosts(const std::vector<HostPort>& hosts) {
  for (const HostPort& host : hosts) {
    if (!joining_) {
      options_.hosts.push_back(host);
      continue;
    }
    resolve(loop_, host, [self = self_](Result<std::vector<Endpoint>> addresses) {
      Impl* me = *self;
      if (me == nullptr) return;
      if (!addresses) return me->log(LogLevel::kWarning, "DHT: " + addresses.error().message);
      for (const Endpoint& address : *addresses) me->add_host(address);
    });
  }
}

void DhtService::Impl::add_host(const Endpoint& host) {
  if (!joining_) return options_.hosts.push_back({format_address(host), host.port});
  for (Family& family : families_) {
    if (family.socket->node().is_v4() == host.is_v4()) family.socket->bootstrap({host});
  }
}

void DhtService::Impl::search(core::TorrentId torrent, const std::vector<InfoHash>& hashes,
                              std::uint16_t port) {
  join();
  for (Family& family : families_) {
    std::erase_if(family.waiting, [&](const Search& s) { return s.torrent == torrent; });
    for (const InfoHash& hash : hashes) {
      const Search search{torrent, dht::NodeId::from(hash.bytes), port};
      if (family.socket->node().joined()) {
        run(family, search);
      } else {
        family.waiting.push_back(search);
      }
    }
  }
}

void DhtService::Impl::run(Family& family, const Search& search) {
  const dht::LookupId id = search.port != 0 ? family.socket->announce(search.hash, search.port)
                                            : family.socket->find_peers(search.hash);
  family.running[id] = search.torrent;
}

void DhtService::Impl::on_event(std::size_t index, const dht::Action& event) {
  Family& family = families_[index];
  if (std::holds_alternative<dht::Joined>(event)) {
    for (const Search& search : std::exchange(family.waiting, {})) run(family, search);
  } else if (const auto* found = std::get_if<dht::PeersFound>(&event)) {
    const auto search = family.running.find(found->lookup);
    if (search != family.running.end()) found_(search->second, found->peers);
  } else if (const auto* done = std::get_if<dht::LookupDone>(&event)) {
    family.running.erase(done->lookup);
  }
}

Result<void> DhtService::Impl::save() const {
  if (options_.table.empty()) return {};
  const wire::DhtState state = families_.front().socket->save();
  return state.nodes.empty() ? Result<void>() : save_dht_state(options_.table, state);
}

DhtService::DhtService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DhtService::~DhtService() = default;

Result<std::unique_ptr<DhtService>> DhtService::start(Loop& loop, DhtServiceOptions options,
                                                      Found found, LogSink log) {
  auto impl = std::make_unique<Impl>(loop, std::move(options), std::move(found), std::move(log));
  auto opened = impl->open();
  if (!opened) return opened.error();
  return std::unique_ptr<DhtService>(new DhtService(std::move(impl)));
}

std::uint16_t DhtService::port() const { return impl_->address().port; }
void DhtService::add_hosts(const std::vector<HostPort>& hosts) { impl_->add_hosts(hosts); }
void DhtService::add_host(const Endpoint& host) { impl_->add_host(host); }
void DhtService::search(core::TorrentId torrent, const std::vector<InfoHash>& hashes,
                        std::uint16_t port) {
  impl_->search(torrent, hashes, port);
}
Result<void> DhtService::save() const { return impl_->save(); }

}  // namespace tributary::net
