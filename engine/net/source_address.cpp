#include "engine/net/source_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>
#include <uv.h>

#include "engine/net/address.h"
#include "engine/net/local_interface.h"
#include "engine/wire/address.h"
#include "engine/wire/text.h"

namespace tributary::net {
namespace {

const Endpoint kAnyV4 = Endpoint::v4(0, 0, 0, 0, 0);

bool is_any(const Endpoint& at) {
  Endpoint address = at;
  address.port = 0;
  return address == kAnyV4 || address == Endpoint();
}

Error no_family(const SourceAddress& source, bool v4) {
  return io_error("interface " + source.device + " has no " + (v4 ? "IPv4" : "IPv6") + " address");
}

}  // namespace

Result<SourceAddress> find_source(std::string_view name_or_address) {
  const std::string text = wire::printable(name_or_address);
  const std::string hint = "; `ip address` shows what there is";
  const auto address = wire::parse_address(name_or_address, 0);
  SourceAddress source;
  bool exists = false;
  for (const LocalInterface& each : all_interfaces()) {
    if (address ? each.address != *address : each.name != name_or_address) continue;
    exists = true;
    source.device = each.name;
    auto& place = each.address.is_v4() ? source.v4 : source.v6;
    if (!place) place = each.address;
  }
  if (exists) return source;
  if (address) return Error{ErrorCode::kNotFound, "no interface has the address " + text + hint};
  const bool named = if_nametoindex(std::string(name_or_address).c_str()) != 0;
  return Error{ErrorCode::kNotFound, named ? "interface " + text + " has no address" + hint
                                           : "there is no interface " + text + hint};
}

void talk_from(Loop& loop, const SourceAddress* source) {
  uv_loop_set_data(loop.uv(), const_cast<SourceAddress*>(source));
}

const SourceAddress* source_of(Loop& loop) {
  return static_cast<const SourceAddress*>(uv_loop_get_data(loop.uv()));
}

Result<Endpoint> bound_by_source(Loop& loop, const Endpoint& at) {
  const SourceAddress* source = source_of(loop);
  if (source == nullptr || !is_any(at)) return at;
  const auto& own = source->of_family(at);
  if (!own) return no_family(*source, at.is_v4());
  Endpoint out = *own;
  out.port = at.port;
  return out;
}

Result<std::optional<Endpoint>> source_towards(Loop& loop, const Endpoint& remote) {
  const SourceAddress* source = source_of(loop);
  if (source == nullptr || remote.is_loopback()) return std::optional<Endpoint>();
  const auto& own = source->of_family(remote);
  if (!own) return no_family(*source, remote.is_v4());
  return own;
}

void keep_on_device(Loop& loop, int socket) {
  const SourceAddress* source = source_of(loop);
  if (source == nullptr) return;
  // Linux lets everybody do so since 5.7; where it does not, the address alone must do.
  static_cast<void>(setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, source->device.c_str(),
                               static_cast<socklen_t>(source->device.size())));
}

int open_from_source(Loop& loop, int type, int protocol, const sockaddr& remote) {
  const auto source = source_towards(loop, from_sockaddr(remote));
  if (!source) return -1;
  const int fd = socket(remote.sa_family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0 || !*source) return fd;
  const sockaddr_storage own = to_sockaddr(**source);
  const socklen_t size = remote.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&own), size) != 0) {
    close(fd);
    return -1;
  }
  keep_on_device(loop, fd);
  return fd;
}

}  // namespace tributary::net
