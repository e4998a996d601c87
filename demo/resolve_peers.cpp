#include "demo/resolve_peers.h"

#include <optional>

#include "demo/arguments.h"
#include "engine/net/address.h"
#include "engine/net/loop.h"

namespace tributary::demo {
namespace {

constexpr Duration kLookupLimit = 10s;

}  // namespace

Result<std::vector<Endpoint>> resolve_peers(const std::vector<std::string>& peers) {
  std::vector<Endpoint> found;
  if (peers.empty()) return found;
  net::Loop loop;
  std::size_t answers = 0;
  std::optional<Error> error;
  for (const std::string& text : peers) {
    TRIBUTARY_TRY(target, parse_remote("peer", text));
    net::resolve(loop, target, [&](Result<std::vector<Endpoint>> addresses) {
      ++answers;
      if (addresses) {
        found.push_back(addresses->front());
      } else {
        error = addresses.error();
      }
    });
  }
  if (!loop.run_until([&] { return answers == peers.size(); }, kLookupLimit)) {
    return io_error("the addresses of --peer could not be looked up in 10 s; give numbers");
  }
  if (error) return *error;
  return found;
}

}  // namespace tributary::demo
