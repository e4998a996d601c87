#include "demo/view_tables.h"

#include <algorithm>

#include "demo/human.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

struct StateLook {
  std::string_view name;
  Style style;
};

StateLook look_of(tributary_edge_state state) {
  switch (state) {
    case TRIBUTARY_EDGE_UP:
      return {"up", Style::kGood};
    case TRIBUTARY_EDGE_PROBING:
      return {"probing", Style::kCdn};
    case TRIBUTARY_EDGE_BACK_OFF:
      return {"backing off", Style::kBad};
    case TRIBUTARY_EDGE_DROPPED:
      break;
  }
  return {"dropped", Style::kBad};
}

StyledLine edge_line(const EdgeFigures& edge, bool first) {
  const StateLook look = look_of(edge.state);
  StyledLine line(" ");
  line.add(first ? "edges   " : "        ", Style::kDim);
  line.add(edge.origin + "  ", Style::kCdn).add(look.name, look.style);
  line.add("  " + human_count(edge.requests, "request"));
  if (edge.failures > 0) line.add(", " + human_count(edge.failures, "failure"), Style::kBad);
  line.add("  " + human_rate(edge.rate) + ", first byte " + human_delay(edge.first_byte),
           Style::kDim);
  if (edge.lies > 0) line.add("  sent wrong bytes", Style::kBad);
  return line;
}

StyledLine peer_line(const PeerFigures& peer) {
  StyledLine line(" ");
  line.add(pad_right(peer.address, 22) + " ");
  line.add(pad_right(peer.client.empty() ? "?" : peer.client, 18) + " ", Style::kDim);
  line.add(pad_right(peer.flags, 7) + " ", Style::kDim);
  line.add(pad_left(human_rate(peer.down), 12), Style::kPeers);
  line.add(pad_left(human_rate(peer.up), 13));
  return line;
}

}  // namespace

std::vector<StyledLine> edge_lines(const std::vector<EdgeFigures>& edges, std::size_t rows) {
  std::vector<StyledLine> lines;
  for (const EdgeFigures& edge : edges) {
    if (lines.size() < rows) lines.push_back(edge_line(edge, lines.empty()));
  }
  return lines;
}

std::vector<StyledLine> peer_lines(std::vector<PeerFigures> peers, std::size_t rows) {
  if (rows == 0) return {};
  const std::size_t count = peers.size();
  std::stable_sort(peers.begin(), peers.end(), [](const auto& a, const auto& b) {
    return a.down != b.down ? a.down > b.down : a.received > b.received;
  });
  StyledLine title(" ");
  title.add(pad_right(human_count(static_cast<std::int64_t>(count), "peer"), 22) + " " +
                pad_right("client", 18) + " " + pad_right("flags", 7) + " " + pad_left("down", 12) +
                pad_left("up", 13),
            Style::kDim);
  std::vector<StyledLine> lines = {title};
  const std::size_t shown = count < rows ? count : rows >= 2 ? rows - 2 : 0;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(peer_line(peers[i]));
  if (shown < count && rows >= 2) {
    lines.emplace_back(" … and " + std::to_string(count - shown) + " more", Style::kDim);
  }
  return lines;
}

}  // namespace tributary::demo
