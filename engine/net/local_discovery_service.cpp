#include "engine/net/local_discovery_service.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "engine/net/datagram_socket.h"
#include "engine/net/digests.h"
#include "engine/net/local_interface.h"
#include "engine/net/timer.h"

namespace tributary::net {
namespace {

std::string make_cookie() {
  std::array<std::uint8_t, 8> bytes{};
  secure_random(bytes);
  return Digest<struct CookieTag, 8>::from(bytes).hex();
}

}  // namespace

class LocalDiscoveryService::Impl {
 public:
  Impl(Loop& loop, const LocalDiscoveryOptions& options, Found found, LogSink log)
      : loop_(loop),
        group_(wire::local_discovery_group(wire::family_of(options.listening), options.group_port)),
        found_(std::move(found)),
        log_(std::move(log)),
        discovery_(options.listening.port, make_cookie()),
        timer_(loop) {}

  Result<void> open(const Endpoint& listening);
  void announce(const InfoHash& torrent) {
    discovery_.announce(torrent);
    send_what_is_due();
  }

 private:
  void send_what_is_due();
  void hear(wire::Octets datagram, const Endpoint& from);

  Loop& loop_;
  const Endpoint group_;
  Found found_;
  LogSink log_;
  wire::LocalDiscovery discovery_;
  std::vector<LocalInterface> networks_;
  std::unique_ptr<DatagramSocket> in_;
  std::vector<std::unique_ptr<DatagramSocket>> out_;  // one for each network
  Timer timer_;
};

Result<void> LocalDiscoveryService::Impl::open(const Endpoint& listening) {
  networks_ = interfaces_of(listening);
  if (networks_.empty()) return io_error("no local network to announce torrents on");
  auto in = DatagramSocket::join(
      loop_, group_, networks_,
      [this](wire::Octets datagram, const Endpoint& from) { hear(datagram, from); });
  if (!in) return in.error();
  in_ = std::move(*in);
  for (const LocalInterface& network : networks_) {
    auto out = DatagramSocket::to_group(loop_, network);
    if (!out) return out.error();
    out_.push_back(std::move(*out));
  }
  return {};
}

void LocalDiscoveryService::Impl::send_what_is_due() {
  while (const auto announcement = discovery_.poll(loop_.now())) {
    const std::string datagram = wire::encode_local_announcement(*announcement, group_);
    for (const auto& socket : out_) {
      const bool sent = socket->send_to(wire::as_octets(datagram), group_);
      if (!sent && log_) log_(LogLevel::kDebug, "a local announcement could not be sent");
    }
  }
  timer_.start(discovery_.next_deadline(), [this] { send_what_is_due(); });
}

void LocalDiscoveryService::Impl::hear(wire::Octets datagram, const Endpoint& from) {
  const bool near = std::any_of(networks_.begin(), networks_.end(),
                                [&](const LocalInterface& each) { return each.reaches(from); });
  if (!near) return;
  for (const auto& heard : discovery_.hear(datagram, from, loop_.now())) {
    found_(heard.torrent, heard.peer);
  }
}

LocalDiscoveryService::LocalDiscoveryService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalDiscoveryService::~LocalDiscoveryService() = default;

Result<std::unique_ptr<LocalDiscoveryService>> LocalDiscoveryService::start(
    Loop& loop, const LocalDiscoveryOptions& options, Found found, LogSink log) {
  auto impl = std::make_unique<Impl>(loop, options, std::move(found), std::move(log));
  if (auto opened = impl->open(options.listening); !opened) return opened.error();
  return std::unique_ptr<LocalDiscoveryService>(new LocalDiscoveryService(std::move(impl)));
}

void LocalDiscoveryService::announce(const InfoHash& torrent) { impl_->announce(torrent); }

}  // namespace tributary::net
