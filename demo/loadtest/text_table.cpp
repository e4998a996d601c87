#include "demo/loadtest/text_table.h"

#include <algorithm>

#include "demo/loadtest/svg_plot.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

using Row = std::vector<std::string>;

constexpr int kBetween = 2;  // columns of the terminal

std::vector<int> widths_of(const TextTable& table) {
  std::vector<int> widths;
  for (const std::string& name : table.head) widths.push_back(text_width(name));
  for (const Row& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], text_width(row[i]));
    }
  }
  return widths;
}

std::string html_row(const TextTable& table, const Row& row, const std::string& tag) {
  std::string out = "<tr>";
  for (std::size_t i = 0; i < row.size(); ++i) {
    out.append("<").append(tag).append(i < table.words ? " class=\"word\">" : ">");
    out.append(escape_html(row[i])).append("</").append(tag).append(">");
  }
  return out + "</tr>\n";
}

}  // namespace

std::vector<std::string> terminal_lines(const TextTable& table) {
  const std::vector<int> widths = widths_of(table);
  const auto line = [&](const Row& row) {
    std::string out;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int width = widths[i] + (i == 0 ? 0 : kBetween);
      const bool word = i < table.words;
      if (word && i > 0) out += std::string(kBetween, ' ');
      out += word ? pad_right(row[i], widths[i]) : pad_left(row[i], width);
    }
    return out;
  };
  std::vector<std::string> lines = {line(table.head)};
  for (const Row& row : table.rows) lines.push_back(line(row));
  return lines;
}

std::string html_table(const TextTable& table) {
  std::string out = "<div class=\"wide\"><table><thead>" + html_row(table, table.head, "th") +
                    "</thead><tbody>\n";
  for (const Row& row : table.rows) out += html_row(table, row, "td");
  return out + "</tbody></table></div>\n";
}

}  // namespace tributary::demo
