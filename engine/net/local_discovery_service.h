// Local service discovery (BEP 14) by multicast on the networks where peers reach us.
#pragma once

#include <functional>
#include <memory>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/net/loop.h"
#include "engine/wire/local_discovery.h"

namespace tributary::net {

struct LocalDiscoveryOptions {
  // Where peers are accepted: told to the network, and says which networks those are.
  Endpoint listening;
  std::uint16_t group_port = wire::kLocalDiscoveryPort;
};

// Loop thread only; must not outlive its loop. Only what comes from an address of the network
// itself is believed.
class LocalDiscoveryService {
 public:
  // Not from within a call of the service's.
  using Found = std::function<void(const InfoHash& torrent, const Endpoint& peer)>;

  // `log` may be empty. Errors: no network is there, or none that carries multicast.
  static Result<std::unique_ptr<LocalDiscoveryService>> start(Loop& loop,
                                                              const LocalDiscoveryOptions& options,
                                                              Found found, LogSink log);
  ~LocalDiscoveryService();
  LocalDiscoveryService(const LocalDiscoveryService&) = delete;
  LocalDiscoveryService& operator=(const LocalDiscoveryService&) = delete;

  // Tells the network of it: at once, or within a minute of the last announcement.
  void announce(const InfoHash& torrent);

 private:
  class Impl;
  explicit LocalDiscoveryService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::net
