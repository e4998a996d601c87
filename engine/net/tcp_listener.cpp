#include "engine/net/tcp_listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "engine/net/address.h"

namespace tributary::net {
namespace {

constexpr int kBacklog = 511;

Error cannot_listen(const Endpoint& address, int code) {
  std::string reason = std::strerror(code);
  if (!reason.empty()) reason[0] = static_cast<char>(std::tolower(reason[0]));
  return io_error("cannot listen on " + format_endpoint(address) + ": " + reason +
                  "; choose another with --listen");
}

}  // namespace

Result<int> open_listener(const Endpoint& address) {
  const sockaddr_storage storage = to_sockaddr(address);
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_listen(address, errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (storage.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const socklen_t length =
      storage.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    const int code = errno;
    close(fd);
    return cannot_listen(address, code);
  }
  return fd;
}

Endpoint local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  TRIBUTARY_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return from_sockaddr(reinterpret_cast<const sockaddr&>(storage));
}

}  // namespace tributary::net
