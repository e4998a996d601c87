#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <array>
#include <chrono>
#include <string>

#include "engine/net/address.h"
#include "engine/net/router.h"

namespace tributary::net {
namespace {

constexpr int kConnected = 1;  // of UPNP_GetValidIGD
// Error codes of AddPortMapping (WANIPConnection:1, section 2.4.16).
constexpr int kOtherHostHasPort = 718;
constexpr int kOnlyForEver = 725;
// External ports tried when another host has the first one.
constexpr int kMaxPortsTried = 8;
constexpr unsigned char kHops = 2;  // of the multicast search (UPnP Device Architecture 1.1)

std::string reason(int code) {
  const char* text = strupnperror(code);
  return text != nullptr ? text : "error " + std::to_string(code);
}

class UpnpRouter final : public Router {
 public:
  UpnpRouter() = default;
  UpnpRouter(const UpnpRouter&) = delete;
  UpnpRouter& operator=(const UpnpRouter&) = delete;
  ~UpnpRouter() override { FreeUPNPUrls(&urls_); }

  std::string_view protocol() const override { return "UPnP"; }

  Result<void> find(Duration search, const std::string& interface) {
    int code = 0;
    UPNPDev* devices =
        upnpDiscover(static_cast<int>(search / 1ms),
                     interface.empty() ? nullptr : interface.c_str(), nullptr, 0, 0, kHops, &code);
    if (devices == nullptr) return io_error("UPnP: no device answered");
    code = choose(devices);
    freeUPNPDevlist(devices);
    if (code != kConnected) return io_error("UPnP: no router that is connected answered");
    return {};
  }

  Result<Endpoint> map(std::uint16_t port, Duration lease) override {
    std::array<char, 40> address{};
    int code = UPNP_GetExternalIPAddress(urls_.controlURL, service(), address.data());
    if (code != UPNPCOMMAND_SUCCESS) return io_error("UPnP: " + reason(code));
    const bool v6 = std::string_view(address.data()).find(':') != std::string_view::npos;
    auto external = parse_endpoint(v6 ? "[" + std::string(address.data()) + "]:0"
                                      : std::string(address.data()) + ":0");
    if (!external) return io_error("UPnP: the router does not know its own address");
    const std::uint16_t first = outer_ != 0 ? outer_ : port;
    for (int i = 0; i < kMaxPortsTried; ++i) {
      const auto outer = static_cast<std::uint16_t>(first + i);
      if (outer == 0) break;
      code = add("TCP", port, outer, lease);
      if (code == kOtherHostHasPort) continue;
      if (code != UPNPCOMMAND_SUCCESS) break;
      add("UDP", port, outer, lease);  // a router that maps TCP alone still lets peers in
      outer_ = external->port = outer;
      return external;
    }
    return io_error("UPnP: " + reason(code));
  }

  void unmap() override {
    if (outer_ == 0) return;
    const std::string outer = std::to_string(outer_);
    for (const char* protocol : {"TCP", "UDP"}) {
      UPNP_DeletePortMapping(urls_.controlURL, service(), outer.c_str(), protocol, nullptr);
    }
    outer_ = 0;
  }

 private:
  int choose(UPNPDev* devices) {
#if MINIUPNPC_API_VERSION >= 18
    return UPNP_GetValidIGD(devices, &urls_, &data_, own_address_.data(), own_address_.size(),
                            nullptr, 0);
#else
    return UPNP_GetValidIGD(devices, &urls_, &data_, own_address_.data(),
                            static_cast<int>(own_address_.size()));
#endif
  }

  const char* service() const { return static_cast<const char*>(data_.first.servicetype); }

  int add(const char* protocol, std::uint16_t inner, std::uint16_t outer, Duration lease) {
    const auto ask = [&](const std::string& seconds) {
      return UPNP_AddPortMapping(urls_.controlURL, service(), std::to_string(outer).c_str(),
                                 std::to_string(inner).c_str(), own_address_.data(), "Tributary",
                                 protocol, nullptr, seconds.c_str());
    };
    const int code = ask(std::to_string(lease / 1s));
    return code == kOnlyForEver ? ask("0") : code;
  }

  UPNPUrls urls_{};
  IGDdatas data_{};
  std::array<char, 64> own_address_{};
  std::uint16_t outer_ = 0;
};

}  // namespace

Result<std::unique_ptr<Router>> find_upnp_router(Duration search, const std::string& interface) {
  auto router = std::make_unique<UpnpRouter>();
  auto found = router->find(search, interface);
  if (!found) return found.error();
  return std::unique_ptr<Router>(std::move(router));
}

}  // namespace tributary::net
