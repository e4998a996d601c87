// Usage: fuzz_http_range -max_total_time=20 corpus/ tests/fuzz/corpus/http_range
//
// Input lines: range begin, range size, status, Content-Range, Content-Length, Content-Encoding. An
// empty or missing line is an absent header.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cdn/pool/range_response.h"
#include "engine/base/check.h"
#include "engine/wire/octets.h"
#include "engine/wire/text.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp<std::int64_t>(value, 0, std::int64_t{1} << 42);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string_view> lines = wire::split_lines(wire::as_text({data, size}));
  lines.resize(6);
  const Bytes begin(number(lines[0]));
  const ByteRange asked{begin, begin + Bytes(number(lines[1])) + 1_B};
  const auto field = [&](std::size_t i) {
    return lines[i].empty() ? std::nullopt : std::optional<std::string>(lines[i]);
  };
  cdn::ResponseHead head;
  head.status = static_cast<int>(std::min<std::int64_t>(number(lines[2]), 999));
  head.content_range = field(3);
  head.content_length = field(4);
  head.content_encoding = field(5);
  const auto verdict = cdn::check_response(asked, head);
  if (const auto* plan = std::get_if<cdn::BodyPlan>(&verdict)) {
    TRIBUTARY_CHECK(head.status == 200 || head.status == 206);
    TRIBUTARY_CHECK(plan->take > 0_B && plan->take <= asked.size());
    TRIBUTARY_CHECK(plan->skip >= 0_B && plan->skip <= cdn::kMaxSkip);
  } else {
    TRIBUTARY_CHECK(std::get<cdn::HttpOutcome>(verdict) != cdn::HttpOutcome::kOk);
  }
  return 0;
}
