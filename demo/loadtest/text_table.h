// A table of texts, for a terminal or a page. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tributary::demo {

struct TextTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // each as long as the head
  std::size_t words = 1;                       // so many columns are names; the others are numbers
};

std::vector<std::string> terminal_lines(const TextTable& table);
std::string html_table(const TextTable& table);

}  // namespace tributary::demo
