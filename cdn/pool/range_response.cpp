#include "cdn/pool/range_response.h"

#include <algorithm>

#include "cdn/pool/header_values.h"
#include "engine/base/check.h"

namespace tributary::cdn {
namespace {

using Verdict = std::variant<BodyPlan, HttpOutcome>;

bool is_identity(const std::optional<std::string>& encoding) {
  if (!encoding) return true;
  const std::string_view value = trim(*encoding);
  return value.empty() || equal_ignoring_case(value, "identity");
}

Verdict check_partial(ByteRange asked, const ResponseHead& head) {
  if (!head.content_range) return HttpOutcome::kBadRange;
  const auto got = parse_content_range(*head.content_range);
  if (!got || !got->range) return HttpOutcome::kBadRange;
  if (got->range->begin != asked.begin || got->range->end > asked.end) {
    return HttpOutcome::kBadRange;
  }
  // The resource is shorter than the torrent's file: it is something else.
  if (got->total && *got->total < asked.end) return HttpOutcome::kBadRange;
  if (head.content_length && parse_content_length(*head.content_length) != got->range->size()) {
    return HttpOutcome::kBadRange;
  }
  return BodyPlan{0_B, got->range->size()};
}

Verdict check_whole(ByteRange asked, const ResponseHead& head) {
  if (asked.begin > kMaxSkip) return HttpOutcome::kRangeIgnored;
  if (head.content_length) {
    const auto length = parse_content_length(*head.content_length);
    if (!length || *length < asked.end) return HttpOutcome::kBadRange;
  }
  return BodyPlan{asked.begin, asked.size()};
}

// 408 and 425 speak of this moment, not of the URL, as 429 does.
bool passing_trouble(int status) {
  return status >= 500 || status == 429 || status == 408 || status == 425;
}

}  // namespace

Verdict check_response(ByteRange asked, const ResponseHead& head) {
  TRIBUTARY_CHECK(!asked.empty());
  if (head.status == 416) return HttpOutcome::kBadRange;
  if (passing_trouble(head.status)) return HttpOutcome::kServerError;
  if (head.status != 200 && head.status != 206) return HttpOutcome::kRefused;
  if (!is_identity(head.content_encoding)) return HttpOutcome::kEncoded;
  return head.status == 206 ? check_partial(asked, head) : check_whole(asked, head);
}

}  // namespace tributary::cdn
