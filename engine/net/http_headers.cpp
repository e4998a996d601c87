#include "engine/net/http_headers.h"

#include <algorithm>

namespace tributary::net {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::string> header_value(const HttpHeaders& headers, std::string_view name) {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& field) { return field.first == name; });
  if (at == headers.end()) return std::nullopt;
  return at->second;
}

void add_header(HttpHeaders& headers, std::string_view name, std::string_view value) {
  std::string lowered = lower_case(name);
  for (auto& [known, text] : headers) {
    if (known != lowered) continue;
    text += ", ";
    text += value;
    return;
  }
  headers.emplace_back(std::move(lowered), value);
}

}  // namespace tributary::net
