// What to make of the answer to a range request: which bytes of the body are the ones asked for, or
// why none of them can be trusted.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "cdn/pool/http.h"
#include "engine/base/units.h"

namespace tributary::cdn {

// A server that ignores Range sends the resource from its start. Skipping that much is cheaper than
// finding another edge; more would cost the viewer's link more than the range itself.
inline constexpr Bytes kMaxSkip = 1_MiB;

// The parts of a response's head that matter here; a field that came twice is its values joined
// with
// ", ", as RFC 9110 section 5.3 has it, which none of the parsers accepts.
struct ResponseHead {
  int status = 0;
  std::optional<std::string> content_range;
  std::optional<std::string> content_length;
  std::optional<std::string> content_encoding;
};

// Drop `skip` bytes of the body, keep `take`, ignore the rest.
struct BodyPlan {
  Bytes skip;
  Bytes take;  // > 0; less than asked when the server chose to send less
  friend bool operator==(const BodyPlan&, const BodyPlan&) = default;
};

// Judges the head of the final response (no 1xx, no redirect that was followed) to a request for
// `asked` of one resource. REQUIRES: asked is not empty.
std::variant<BodyPlan, HttpOutcome> check_response(ByteRange asked, const ResponseHead& head);

}  // namespace tributary::cdn
