// Usage: fuzz_http_request -max_total_time=20 corpus/ tests/fuzz/corpus/http_request
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/http_request.h"
#include "engine/wire/octets.h"

using namespace tributary;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = wire::as_text({data, size});
  const auto head = wire::read_http_request(bytes);
  if (!head || !*head) return 0;
  const auto inside = [&](std::string_view part) {
    return part.empty() || (part.data() >= bytes.data() &&
                            part.data() + part.size() <= bytes.data() + bytes.size());
  };
  TRIBUTARY_CHECK(inside((*head)->method) && inside((*head)->path) && inside((*head)->query));
  // What comes after the head changes nothing.
  const std::size_t end = bytes.find("\r\n\r\n") + 4;
  const auto alone = wire::read_http_request(bytes.substr(0, end));
  TRIBUTARY_CHECK(alone && *alone && (*alone)->path == (*head)->path);
  return 0;
}
