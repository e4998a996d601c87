#include "engine/base/url.h"

namespace tributary {

std::string origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::string origin(url.substr(0, url.find_first_of("/?#", host)));
  for (char& c : origin) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return origin;
}

}  // namespace tributary
