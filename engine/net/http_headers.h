// Header fields as both the HTTP client and the server hand them around.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tributary::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

std::string lower_case(std::string_view text);  // ASCII only

// The value of the field, or nothing. Names in `headers` are in lower case, and so is `name`.
std::optional<std::string> header_value(const HttpHeaders& headers, std::string_view name);

// Adds a field; a repeated one's values are joined with ", " (RFC 9110 section 5.3).
void add_header(HttpHeaders& headers, std::string_view name, std::string_view value);

}  // namespace tributary::net
