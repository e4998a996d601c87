// Common Media Client Data (CTA-5004): what a player tells a CDN about the state it is in, as
// request headers.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/units.h"

namespace tributary::cdn {

// Absent fields are left out. Values are rounded as the specification says: times and the measured
// throughput to 100, the encoded rate to whole kbit/s.
struct Cmcd {
  std::optional<Duration> buffered;   // bl: media ahead of the playhead
  std::optional<Duration> deadline;   // dl: from now until the first byte is late; >= 0
  std::optional<BitRate> media_rate;  // br
  std::optional<BitRate> throughput;  // mtp
  bool starting = false;              // su: startup, seeking, or recovery from an empty buffer
  bool stalled = false;               // bs: the buffer ran dry since the last request
  std::string next_object;            // nor: path relative to this request; empty: the same object
  std::optional<ByteRange> next_range;  // nrr
  std::string session;                  // sid; at most 64 characters are sent
};

// Up to four headers, named CMCD-Object, CMCD-Request, CMCD-Session and CMCD-Status, keys in
// alphabetical order. Headers without keys are left out.
std::vector<std::pair<std::string, std::string>> cmcd_headers(const Cmcd& data);

}  // namespace tributary::cdn
