#include <arpa/inet.h>
#include <natpmp.h>
#include <poll.h>

#include <chrono>
#include <utility>

#include "engine/net/address.h"
#include "engine/net/clock.h"
#include "engine/net/router.h"

namespace tributary::net {
namespace {

// How soon a wait notices that it was cancelled.
constexpr Duration kLook = 50ms;

std::string_view reason(int code) {
  switch (code) {
    case NATPMP_ERR_CANNOTGETGATEWAY:
      return "this host has no default gateway";
    case NATPMP_ERR_NOTAUTHORIZED:
      return "the router refuses";
    case NATPMP_ERR_OUTOFRESOURCES:
      return "the router has no port left";
    case NATPMP_ERR_NETWORKFAILURE:
      return "the router has no address of its own";
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE:
    case NATPMP_ERR_NOGATEWAYSUPPORT:
      return "the router does not speak it";
    default:
      return "the network failed";
  }
}

Error failed(int code) { return io_error("NAT-PMP: " + std::string(reason(code))); }

class NatPmpRouter final : public Router {
 public:
  NatPmpRouter(Duration limit, Cancelled cancelled)
      : limit_(limit), cancelled_(std::move(cancelled)), opened_(initnatpmp(&state_, 0, 0)) {}
  ~NatPmpRouter() override {
    if (opened_ == 0) closenatpmp(&state_);
  }

  std::string_view protocol() const override { return "NAT-PMP"; }

  Result<void> find() {
    if (opened_ != 0) return failed(opened_);
    sendpublicaddressrequest(&state_);
    auto answer = wait();
    if (!answer) return answer.error();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr = answer->pnu.publicaddress.addr;
    external_ = from_sockaddr(reinterpret_cast<sockaddr&>(address));
    return {};
  }

  Result<Endpoint> map(std::uint16_t port, Duration lease) override {
    const std::uint16_t wanted = external_.port != 0 ? external_.port : port;
    auto tcp = request(NATPMP_PROTOCOL_TCP, port, wanted, lease);
    if (!tcp) return tcp.error();
    port_ = port;
    external_.port = *tcp;
    auto udp = request(NATPMP_PROTOCOL_UDP, port, *tcp, lease);
    static_cast<void>(udp);  // a router that maps TCP alone still lets peers in
    return external_;
  }

  void unmap() override {
    if (port_ == 0) return;
    // The answers change nothing; the requests are repeated if they come late.
    cancelled_ = [] { return false; };
    for (const int protocol : {NATPMP_PROTOCOL_TCP, NATPMP_PROTOCOL_UDP}) {
      static_cast<void>(request(protocol, port_, 0, Duration::zero()));
    }
    port_ = 0;
  }

 private:
  Result<std::uint16_t> request(int protocol, std::uint16_t inner, std::uint16_t outer,
                                Duration lease) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lease).count();
    sendnewportmappingrequest(&state_, protocol, inner, outer, static_cast<std::uint32_t>(seconds));
    auto answer = wait();
    if (!answer) return answer.error();
    const auto& mapping = answer->pnu.newportmapping;
    if (mapping.privateport != inner) return io_error("NAT-PMP: an answer to another request");
    return mapping.mappedpublicport;
  }

  // The library repeats the request at growing intervals.
  Result<natpmpresp_t> wait() {
    const TimePoint end = read_clock() + limit_;
    while (true) {
      natpmpresp_t answer{};
      const int code = readnatpmpresponseorretry(&state_, &answer);
      if (code == 0) return answer;
      if (code != NATPMP_TRYAGAIN) return failed(code);
      if (cancelled_()) return Error{ErrorCode::kCancelled, "NAT-PMP: given up"};
      if (read_clock() >= end) return failed(NATPMP_ERR_NOGATEWAYSUPPORT);
      pollfd readable{state_.s, POLLIN, 0};
      poll(&readable, 1, static_cast<int>(kLook / 1ms));
    }
  }

  Duration limit_;
  Cancelled cancelled_;
  natpmp_t state_{};
  int opened_;
  Endpoint external_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Router>> find_nat_pmp_router(Duration limit, Cancelled cancelled) {
  auto router = std::make_unique<NatPmpRouter>(limit, std::move(cancelled));
  auto found = router->find();
  if (!found) return found.error();
  return std::unique_ptr<Router>(std::move(router));
}

}  // namespace tributary::net
