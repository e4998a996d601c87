// Usage: fuzz_tracker -max_total_time=20 corpus/ tests/fuzz/corpus/tracker
//
// The input serves as an answer for the client and, line by line, as queries for the server.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/wire/text.h"
#include "engine/wire/tracker.h"
#include "engine/wire/tracker_state.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

void check_client(wire::Octets answer) {
  const auto decoded = wire::decode_announce_answer(answer);
  if (decoded) {
    TRIBUTARY_CHECK(decoded->peers.size() <= wire::kMaxPeersPerAnswer);
    for (const Endpoint& peer : decoded->peers) TRIBUTARY_CHECK(peer.port != 0);
    TRIBUTARY_CHECK(decoded->interval >= wire::kMinAnnounceInterval);
    TRIBUTARY_CHECK(decoded->interval <= wire::kMaxAnnounceInterval);
    TRIBUTARY_CHECK(decoded->min_interval <= decoded->interval);
  }
  // The hashes of which the answers in the corpus tell, and one of which they tell nothing.
  std::vector<InfoHash> asked(3);
  asked[0].bytes.fill('h');
  asked[1].bytes.fill('A');
  const auto scraped = wire::decode_scrape_answer(answer, asked);
  if (!scraped) return;
  TRIBUTARY_CHECK(scraped->size() == asked.size());
  for (const wire::SwarmCounts& n : *scraped) {
    TRIBUTARY_CHECK(n.seeds >= 0 && n.leechers >= 0 && n.downloaded >= 0);
  }
}

// Each line is a query from another host, a minute after the last.
void check_server(std::string_view input) {
  wire::TrackerOptions options;
  options.max_peers = 8;
  options.max_swarms = 3;
  options.peer_lifetime = std::chrono::minutes(10);
  wire::TrackerState tracker(options, 1);
  std::uint8_t n = 0;
  for (std::string_view line : wire::split_lines(input)) {
    const TimePoint now{std::chrono::minutes(n)};
    const Endpoint remote = Endpoint::v4(10, 0, 0, n % 16, 1);
    const auto answer = tracker.handle_announce(line, remote, now);
    const auto decoded = wire::decode_announce_answer(answer);
    TRIBUTARY_CHECK(decoded.ok() == wire::parse_announce_query(line).ok());
    const auto scraped = wire::decode_scrape_answer(tracker.handle_scrape(line, now), {});
    TRIBUTARY_CHECK(scraped.ok() == wire::parse_scrape_query(line).ok());
    TRIBUTARY_CHECK(tracker.peer_count() <= options.max_peers);
    TRIBUTARY_CHECK(tracker.swarm_count() <= options.max_swarms);
    if (++n == 200) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Octets input(data, size);
  check_client(input);
  check_server(wire::as_text(input));
  return 0;
}
