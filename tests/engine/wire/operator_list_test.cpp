#include "engine/wire/operator_list.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/wire/address.h"

namespace tributary::wire {
namespace {

std::string operator_of(const core::OperatorTable& table, std::string_view address) {
  return std::string(table.find(*parse_address(address, 1)));
}

TEST_CASE("the longest prefix that matches names the operator, in both families") {
  const auto table = parse_operators(
      "# ours\n"
      "203.0.112.0/22\tWide Net\r\n"
      "\n"
      "  203.0.113.128/25   Narrow Net  \n"
      "203.0.113.7/32 One Host\n"
      "2001:db8::/32 Six Net\n"
      "2001:db8:0:8000::/49 Half of Six\n"
      "2001:db8:1::/48 Wide Net");
  REQUIRE(table.ok());
  CHECK(table->size() == 6);
  CHECK(operator_of(*table, "203.0.112.1") == "Wide Net");
  CHECK(operator_of(*table, "203.0.113.127") == "Wide Net");
  CHECK(operator_of(*table, "203.0.113.128") == "Narrow Net");
  CHECK(operator_of(*table, "203.0.113.7") == "One Host");
  CHECK(operator_of(*table, "203.0.116.0").empty());
  CHECK(operator_of(*table, "2001:db8:2::1") == "Six Net");
  CHECK(operator_of(*table, "2001:db8:0:7fff::1") == "Six Net");
  CHECK(operator_of(*table, "2001:db8:0:8000::1") == "Half of Six");
  CHECK(operator_of(*table, "2001:db8:1::1") == "Wide Net");
  CHECK(operator_of(*table, "2001:db9::1").empty());
}

TEST_CASE("a prefix of no bits is all of its family, and of no other") {
  const auto table = parse_operators("0.0.0.0/0 All\n");
  REQUIRE(table.ok());
  CHECK(operator_of(*table, "9.9.9.9") == "All");
  CHECK(operator_of(*table, "2001:db8::1").empty());
}

TEST_CASE("what a line lacks is told with its number") {
  struct Row {
    const char* text;
    const char* said;
  };
  for (const Row& row :
       {Row{"10.0.0.0/8 A\n\n10.0.0.0 B", "line 3, '10.0.0.0 B', gives no PREFIX/LEN"},
        Row{"ten/8 A", "line 1, 'ten/8 A', does not begin with an address"},
        Row{"10.0.0.0/33 A", "line 1, '10.0.0.0/33 A', needs a length of 0 to 32"},
        Row{"10.0.0.0/ A", "needs a length of 0 to 32"},
        Row{"10.0.0.0/8x A", "needs a length of 0 to 32"},
        Row{"10.0.0.0/-1 A", "needs a length of 0 to 32"},
        Row{"2001:db8::/129 A", "needs a length of 0 to 128"},
        Row{"10.0.0.1/8 A", "has bits set behind the length"},
        Row{"10.0.0.0/8", "line 1, '10.0.0.0/8', names no operator"}}) {
    INFO(row.text);
    const auto table = parse_operators(row.text);
    REQUIRE_FALSE(table.ok());
    CHECK(table.error().message.find(row.said) != std::string::npos);
  }
  CHECK_FALSE(parse_operators("10.0.0.0/8 " + std::string(kMaxOperatorName + 1, 'n')).ok());
}

TEST_CASE("the last word on a prefix holds") {
  const auto table = parse_operators("10.0.0.0/8 A\n10.0.0.0/8 B\n");
  REQUIRE(table.ok());
  CHECK(table->size() == 1);
  CHECK(operator_of(*table, "10.1.2.3") == "B");
}

}  // namespace
}  // namespace tributary::wire
