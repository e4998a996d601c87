#include "engine/wire/operator_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "engine/wire/address.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

constexpr std::string_view kBlanks = " \t";

struct Prefix {
  Endpoint address;
  int bits = 0;
};

bool is_clear_behind(const Endpoint& address, int bits) {
  for (int bit = bits; bit < core::OperatorTable::kBits; ++bit) {
    const std::uint8_t octet = address.address[static_cast<std::size_t>(bit / 8)];
    if ((octet & (0x80 >> (bit % 8))) != 0) return false;
  }
  return true;
}

Result<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return invalid("gives no PREFIX/LEN like 203.0.113.0/24");
  const auto address = parse_address(text.substr(0, slash), 0);
  if (!address) return invalid("does not begin with an address like 203.0.113.0 or 2001:db8::");
  const std::string_view digits = text.substr(slash + 1);
  const int most = address->is_v4() ? 32 : 128;
  int length = -1;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!whole || length < 0 || length > most) {
    return invalid("needs a length of 0 to " + std::to_string(most) + " behind the slash");
  }
  const int bits = core::OperatorTable::kBits - most + length;
  if (!is_clear_behind(*address, bits)) {
    return invalid("has bits set behind the length; clear them or correct the length");
  }
  return Prefix{*address, bits};
}

Result<void> take_line(std::string_view line, core::OperatorTable& table) {
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const auto prefix = parse_prefix(line.substr(0, end));
  if (!prefix) return prefix.error();
  const std::string_view name = trim(line.substr(end));
  if (name.empty()) return invalid("names no operator behind the prefix");
  if (name.size() > kMaxOperatorName) {
    return invalid("has a name of more than " + std::to_string(kMaxOperatorName) + " characters");
  }
  if (table.size() >= core::OperatorTable::kMaxPrefixes) {
    return invalid("is one prefix more than the " +
                   std::to_string(core::OperatorTable::kMaxPrefixes) + " that are allowed");
  }
  table.add(prefix->address, prefix->bits, name);
  return {};
}

}  // namespace

Result<core::OperatorTable> parse_operators(std::string_view text) {
  core::OperatorTable table;
  std::int64_t number = 0;
  for (const std::string_view whole : split_lines(text)) {
    ++number;
    const std::string_view line = trim(whole);
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto taken = take_line(line, table); !taken) {
      return invalid("line " + std::to_string(number) + ", '" + printable(line.substr(0, 60)) +
                     "', " + taken.error().message);
    }
  }
  return table;
}

}  // namespace tributary::wire
