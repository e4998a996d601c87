#include "demo/engine_names.h"

#include "demo/host_options.h"
#include "demo/named.h"
#include "engine/net/source_address.h"

namespace tributary::demo {
namespace {

template <class T>
Result<std::string> understood(const Result<T>& parsed, std::string_view text) {
  if (!parsed) return parsed.error();
  return std::string(text);
}

}  // namespace

Result<std::string> check_encryption(std::string_view text) {
  return understood(parse_encryption(text), text);
}
Result<std::string> check_transport(std::string_view text) {
  return understood(parse_transport(text), text);
}
Result<std::string> check_unchoker(std::string_view text) {
  return understood(parse_unchoker(text), text);
}
Result<std::string> check_interface(std::string_view text) {
  return understood(net::find_source(text), text);
}

std::vector<std::string> encryption_names() { return names_of(core::kEncryptionModes); }
std::vector<std::string> transport_names() { return names_of(net::kCarriers); }
std::vector<std::string> unchoker_names() { return names_of(core::kUnchokers); }

}  // namespace tributary::demo
