#include "engine/net/port_mapper.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/router.h"

namespace tributary::net {

// What the thread and the loop share. The thread finds a router, maps, sleeps and renews, until it
// is stopped; what it learns goes to the loop as a posted task.
class PortMapper::Worker : public std::enable_shared_from_this<PortMapper::Worker> {
 public:
  Worker(Loop& loop, std::uint16_t port, Told told, PortMapperOptions options)
      : loop_(loop), port_(port), options_(std::move(options)), told_(std::move(told)) {}

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  // Loop thread. Nothing is told after it.
  void stop() {
    told_ = nullptr;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    while (!stopped()) {
      Result<PortMapping> outcome = router_ ? map() : find_and_map();
      const bool mapped = outcome.ok();
      if (!mapped) router_.reset();  // another one may be there by now
      tell(std::move(outcome));
      sleep(mapped ? options_.lease / 2 : options_.retry);
    }
    if (router_) router_->unmap();
  }

  Result<PortMapping> find_and_map() {
    if (!options_.interface.empty()) return find_upnp_and_map();
    auto router = find_nat_pmp_router(options_.nat_pmp_limit, [this] { return stopped(); });
    Error first;
    if (router) {
      router_ = std::move(*router);
      auto mapping = map();
      if (mapping) return mapping;
      first = mapping.error();
    } else {
      first = router.error();
    }
    if (stopped()) return first;
    auto mapping = find_upnp_and_map();
    if (!router_) return io_error(first.message + "; " + mapping.error().message);
    return mapping;
  }

  Result<PortMapping> find_upnp_and_map() {
    router_.reset();
    auto router = find_upnp_router(options_.upnp_search, options_.interface);
    if (!router) return router.error();
    router_ = std::move(*router);
    return map();
  }

  Result<PortMapping> map() {
    auto external = router_->map(port_, options_.lease);
    if (!external) return external.error();
    return PortMapping{*external, router_->protocol()};
  }

  void tell(Result<PortMapping> outcome) {
    loop_.post([self = shared_from_this(), outcome = std::move(outcome)] { self->told(outcome); });
  }

  // Loop thread.
  void told(const Result<PortMapping>& outcome) {
    if (!told_) return;
    const std::string text = outcome ? std::string() : outcome.error().message;
    const auto mapping = outcome ? std::optional(*outcome) : std::nullopt;
    if (!std::exchange(told_before_, true) || mapping != last_ || text != last_error_) {
      last_ = mapping;
      last_error_ = text;
      told_(outcome);
    }
  }

  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  void sleep(Duration time) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [this] { return stopped_; });
  }

  Loop& loop_;
  const std::uint16_t port_;
  const PortMapperOptions options_;
  std::unique_ptr<Router> router_;  // the thread's
  std::mutex mutex_;                // guards the next
  bool stopped_ = false;
  std::condition_variable wake_;
  std::thread thread_;
  // The loop's.
  Told told_;
  bool told_before_ = false;
  std::optional<PortMapping> last_;
  std::string last_error_;
};

PortMapper::PortMapper(Loop& loop, std::uint16_t port, Told told, PortMapperOptions options)
    : worker_(std::make_shared<Worker>(loop, port, std::move(told), std::move(options))) {
  TRIBUTARY_CHECK(port != 0);
  worker_->start();
}

PortMapper::~PortMapper() { worker_->stop(); }

}  // namespace tributary::net
