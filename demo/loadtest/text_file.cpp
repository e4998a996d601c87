#include "demo/loadtest/text_file.h"

#include <fstream>
#include <sstream>

namespace tributary::demo {

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (file) return text.str();
  return Error{ErrorCode::kNotFound, "cannot read '" + path + "': no such file, or not readable"};
}

}  // namespace tributary::demo
