// Usage: fuzz_operator_list -max_total_time=20 corpus/ tests/fuzz/corpus/operator_list
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/octets.h"
#include "engine/wire/operator_list.h"

using namespace tributary;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto table = wire::parse_operators(wire::as_text({data, size}));
  if (!table) {
    TRIBUTARY_CHECK(table.error().message.starts_with("line "));
    return 0;
  }
  TRIBUTARY_CHECK(table->size() <= size / 5 + 1);  // "::/0 a" is the shortest line
  TRIBUTARY_CHECK(table->find(Endpoint::v4(10, 0, 0, 1, 1)).size() <= wire::kMaxOperatorName);
  return 0;
}
