#include "demo/operators_file.h"

#include <fstream>
#include <utility>

#include "engine/wire/operator_list.h"

namespace tributary::demo {
namespace {

// Of all prefixes that a table may hold, with long names.
constexpr std::size_t kMaxFile = 32U << 20;

}  // namespace

Result<std::shared_ptr<const core::OperatorTable>> read_operators(const std::string& path) {
  if (path.empty()) return std::shared_ptr<const core::OperatorTable>();
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto size = static_cast<std::size_t>(file.gcount());
  // A folder opens, and fails to be read.
  if (!file.eof() && size <= kMaxFile) {
    return Error{ErrorCode::kNotFound, "cannot read the operators in '" + path +
                                           "'; give a file with lines of PREFIX/LEN NAME"};
  }
  if (size > kMaxFile) {
    return invalid("the operators in '" + path + "' are more than 32 MiB; leave out far ones");
  }
  text.resize(size);
  auto table = wire::parse_operators(text);
  if (!table) return invalid("'" + path + "' " + table.error().message);
  return std::make_shared<const core::OperatorTable>(*std::move(table));
}

}  // namespace tributary::demo
