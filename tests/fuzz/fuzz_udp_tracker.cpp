// Usage: fuzz_udp_tracker -max_total_time=20 corpus/ tests/fuzz/corpus/udp_tracker
//
// The input serves as a request for the server and as an answer for the client. What was read must
// keep the limits, and come back the same when it is written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/wire/tracker.h"
#include "engine/wire/udp_tracker.h"
#include "engine/wire/udp_tracker_service.h"
#include "engine/wire/udp_tracker_session.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

using wire::AddressFamily;
using wire::OctetBuffer;
using wire::Octets;

void check_request(Octets input) {
  const auto request = wire::decode_udp_request(input);
  if (!request) return;
  const auto again = wire::decode_udp_request(wire::encode_udp_request(*request));
  TRIBUTARY_CHECK(again.ok() && *again == *request);
}

void check_answer(Octets input, AddressFamily family) {
  const auto answer = wire::decode_udp_answer(input, family);
  if (!answer) return;
  if (const auto* announced = std::get_if<wire::UdpAnnounced>(&*answer)) {
    TRIBUTARY_CHECK(announced->peers.size() <= wire::kMaxPeersPerAnswer);
    TRIBUTARY_CHECK(announced->interval >= wire::kMinAnnounceInterval);
    TRIBUTARY_CHECK(announced->interval <= wire::kMaxAnnounceInterval);
    // A v4-mapped peer over IPv6 is read, and never written.
    const auto foreign = [family](const Endpoint& e) { return wire::family_of(e) != family; };
    if (std::any_of(announced->peers.begin(), announced->peers.end(), foreign)) return;
  }
  const auto again = wire::decode_udp_answer(wire::encode_udp_answer(*answer, family), family);
  TRIBUTARY_CHECK(again.ok() && *again == *answer);
}

Sha256 fold(Octets octets) {
  Sha256 out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    out.bytes[i % Sha256::kSize] =
        static_cast<std::uint8_t>(out.bytes[i % Sha256::kSize] * 31 + octets[i]);
  }
  return out;
}

// The request as it is, and with a connection id that is good.
void check_service(Octets input) {
  wire::TrackerState state({}, 1);
  wire::UdpTrackerService service(state, {nullptr, fold}, {});
  const Endpoint from = Endpoint::v4(10, 0, 0, 1, 1);
  const auto answer = service.handle(input, from, TimePoint{});
  if (answer) TRIBUTARY_CHECK(answer->size() <= input.size());
  const auto connected =
      service.handle(wire::encode_udp_request(wire::UdpConnect{}), from, TimePoint{});
  OctetBuffer known(input.begin(), input.end());
  if (known.size() < 16) return;
  std::copy_n(connected->begin() + 8, 8, known.begin());
  const auto full = service.handle(known, from, TimePoint{});
  TRIBUTARY_CHECK(!full || wire::decode_udp_answer(*full, AddressFamily::kV4).ok());
}

// The answer as it is, and to what was asked: transaction 2 is the connect, 1 the question.
void check_session(Octets input, wire::UdpTrackerSession::Question question) {
  std::uint32_t drawn = 0;
  wire::UdpTrackerSession session(AddressFamily::kV4, [&] { return ++drawn; });
  session.ask(wire::UdpTrackerSession::RequestId(1), std::move(question), 15s, TimePoint{});
  OctetBuffer answer(input.begin(), input.end());
  int finished = 0;
  for (int second = 0; second <= 15; ++second) {
    const TimePoint now{std::chrono::seconds(second)};
    for (int n = 0; const auto action = session.poll(now); ++n) {
      TRIBUTARY_CHECK(n < 4);
      finished += std::holds_alternative<wire::UdpTrackerSession::Finished>(*action) ? 1 : 0;
    }
    session.handle(input, now);
    if (answer.size() >= 8) answer[7] = second % 2 == 0 ? 2 : 1;
    session.handle(answer, now);
  }
  TRIBUTARY_CHECK(finished == 1);
}

void check_url(Octets input) {
  const auto url = wire::parse_udp_tracker(wire::as_text(input));
  if (url) TRIBUTARY_CHECK(!url->host.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets input(data, size);
  check_request(input);
  check_answer(input, AddressFamily::kV4);
  check_answer(input, AddressFamily::kV6);
  check_service(input);
  check_session(input, wire::UdpAnnounce());
  check_session(input, wire::UdpScrape{{}, {}, {InfoHash()}});
  check_url(input);
  return 0;
}
