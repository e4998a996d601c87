// Usage: fuzz_recording -max_total_time=20 corpus/ tests/fuzz/corpus/recording
#include <cstddef>
#include <cstdint>

#include "demo/loadtest/recording_file.h"
#include "engine/base/check.h"
#include "engine/wire/octets.h"

using namespace tributary;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto recording = demo::parse_recording(wire::as_text({data, size}), "fuzz");
  if (!recording) {
    TRIBUTARY_CHECK(recording.error().message.starts_with("fuzz: "));
    return 0;
  }
  TRIBUTARY_CHECK(!recording->tracks.empty());
  for (const sim::RecordedTrack& track : recording->tracks) {
    TRIBUTARY_CHECK(track.size > 0_B && track.duration > Duration::zero());
    TRIBUTARY_CHECK(track.piece_length >= core::kBlockSize);
  }
  for (const sim::RecordedPeer& peer : recording->peers) {
    TRIBUTARY_CHECK(peer.round_trip > Duration::zero());
    for (const auto& offer : peer.offers) TRIBUTARY_CHECK(offer.pieces.size() <= size * 4);
  }
  return 0;
}
