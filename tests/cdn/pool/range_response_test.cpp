#include "cdn/pool/range_response.h"

#include <doctest/doctest.h>

namespace tributary::cdn {
namespace {

constexpr ByteRange kAsked{100_B, 200_B};

ResponseHead partial(std::string content_range) {
  return {.status = 206,
          .content_range = std::move(content_range),
          .content_length = {},
          .content_encoding = {}};
}
ResponseHead status(int code) {
  return {.status = code, .content_range = {}, .content_length = {}, .content_encoding = {}};
}
HttpOutcome failure(ByteRange asked, const ResponseHead& head) {
  const auto verdict = check_response(asked, head);
  REQUIRE(std::holds_alternative<HttpOutcome>(verdict));
  return std::get<HttpOutcome>(verdict);
}
BodyPlan plan(ByteRange asked, const ResponseHead& head) {
  const auto verdict = check_response(asked, head);
  REQUIRE(std::holds_alternative<BodyPlan>(verdict));
  return std::get<BodyPlan>(verdict);
}

TEST_CASE("the range that was asked for is accepted") {
  CHECK(plan(kAsked, partial("bytes 100-199/1000")) == BodyPlan{0_B, 100_B});
  CHECK(plan(kAsked, partial("bytes 100-199/*")) == BodyPlan{0_B, 100_B});
}

TEST_CASE("a server may send less than was asked for") {
  CHECK(plan(kAsked, partial("bytes 100-149/1000")) == BodyPlan{0_B, 50_B});
}

TEST_CASE("any other range is not accepted") {
  for (const char* text : {"bytes 0-99/1000", "bytes 99-199/1000", "bytes 100-200/1000",
                           "bytes 101-199/1000", "bytes */1000", "bytes 100-149/150", "rubbish"}) {
    CAPTURE(text);
    CHECK(failure(kAsked, partial(text)) == HttpOutcome::kBadRange);
  }
  CHECK(failure(kAsked, status(206)) == HttpOutcome::kBadRange);
}

TEST_CASE("a length that contradicts the range is not accepted") {
  ResponseHead head = partial("bytes 100-199/1000");
  head.content_length = "100";
  CHECK(plan(kAsked, head) == BodyPlan{0_B, 100_B});
  for (const char* text : {"99", "101", "x", ""}) {
    head.content_length = text;
    CHECK(failure(kAsked, head) == HttpOutcome::kBadRange);
  }
}

TEST_CASE("a server that ignores the range is skipped to it, up to the limit") {
  CHECK(plan(kAsked, status(200)) == BodyPlan{100_B, 100_B});
  CHECK(plan({kMaxSkip, kMaxSkip + 1_B}, status(200)) == BodyPlan{kMaxSkip, 1_B});
  CHECK(failure({kMaxSkip + 1_B, kMaxSkip + 2_B}, status(200)) == HttpOutcome::kRangeIgnored);
}

TEST_CASE("a whole resource that is too short for the range is something else") {
  ResponseHead head = status(200);
  head.content_length = "200";
  CHECK(plan(kAsked, head) == BodyPlan{100_B, 100_B});
  head.content_length = "199";
  CHECK(failure(kAsked, head) == HttpOutcome::kBadRange);
}

TEST_CASE("an encoding that was not asked for is named, identity is none") {
  ResponseHead head = partial("bytes 100-199/1000");
  head.content_encoding = "Identity";
  CHECK(plan(kAsked, head) == BodyPlan{0_B, 100_B});
  head.content_encoding = "gzip";
  CHECK(failure(kAsked, head) == HttpOutcome::kEncoded);
}

TEST_CASE("each family of status has its outcome") {
  CHECK(failure(kAsked, status(416)) == HttpOutcome::kBadRange);
  for (int code : {429, 408, 500, 502, 503, 504}) {
    CHECK(failure(kAsked, status(code)) == HttpOutcome::kServerError);
  }
  for (int code : {204, 302, 304, 400, 401, 403, 404, 410}) {
    CHECK(failure(kAsked, status(code)) == HttpOutcome::kRefused);
  }
}

}  // namespace
}  // namespace tributary::cdn
