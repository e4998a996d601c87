// The one part of a URL that is compared; everything else is libcurl's business.
#pragma once

#include <string>
#include <string_view>

namespace tributary {

// Scheme, host and port, in lower case as RFC 3986 §6.2.2.1 compares them:
// "https://Host:8443/a/b" -> "https://host:8443".
std::string origin_of(std::string_view url);

}  // namespace tributary
