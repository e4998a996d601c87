#include "player/client/operators_file.h"

#include <utility>

#include "engine/net/bounded_file.h"
#include "engine/wire/operator_list.h"

namespace tributary::player {
namespace {

// Of all prefixes that a table may hold, with long names.
constexpr Bytes kMaxFile = 32_MiB;

}  // namespace

Result<std::shared_ptr<const core::OperatorTable>> read_operators(const std::string& path) {
  if (path.empty()) return std::shared_ptr<const core::OperatorTable>();
  TRIBUTARY_TRY(text, net::read_bounded(path, kMaxFile, "a file with lines of PREFIX/LEN NAME"));
  auto table = wire::parse_operators(text);
  if (!table) return invalid("'" + path + "' " + table.error().message);
  return std::make_shared<const core::OperatorTable>(*std::move(table));
}

}  // namespace tributary::player
