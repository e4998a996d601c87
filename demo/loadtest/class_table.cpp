#include "demo/loadtest/class_table.h"

#include <algorithm>

#include "demo/human.h"
#include "demo/loadtest/figures.h"

namespace tributary::demo {
namespace {

using sim::Origin;

BitRate mean_rate(Bytes bytes, Duration time) {
  return time == Duration::zero() ? BitRate() : rate_of(bytes, time);
}

}  // namespace

BitRate rate_from_peers(const sim::LoadClass& of_class) {
  return mean_rate(of_class.received[Origin::kPeers], of_class.online);
}

BitRate rate_sent(const sim::LoadClass& of_class) {
  return mean_rate(of_class.uploaded, of_class.online);
}

std::vector<std::string> class_heads() {
  return {"listeners",   "plays", "offload", "from peers",    "sent",
          "startup p50", "p99",   "stalled", "stalls a play", "rebuffering"};
}

std::vector<std::string> class_cells(const sim::LoadClass& c) {
  return {std::to_string(c.listeners),
          std::to_string(c.plays),
          fine_percent(part_of(c.received[Origin::kPeers], c.received.total())),
          human_rate(rate_from_peers(c)),
          human_rate(rate_sent(c)),
          human_delay(percentile(c.startups, 50)),
          human_delay(percentile(c.startups, 99)),
          fine_percent(part_of(c.stalled_plays, c.plays)),
          fine_number(part_of(c.stalls, c.plays)),
          fine_percent(rebuffering_ratio(c))};
}

TextTable class_table(const std::vector<sim::LoadReport>& reports) {
  TextTable table{{"class", "policy"}, {}, 2};
  for (const std::string& head : class_heads()) table.head.push_back(head);
  for (std::size_t c = 0; !reports.empty() && c < reports.front().by_class.size(); ++c) {
    for (const sim::LoadReport& report : reports) {
      std::vector<std::string> row = {report.by_class[c].name, report.policy};
      for (std::string& cell : class_cells(report.by_class[c])) row.push_back(std::move(cell));
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace tributary::demo
