// How long a file takes to reach everybody (Kurose & Ross, "Computer Networking", section 2.5):
// from a server alone, and among peers, beside the formulas.
#pragma once

#include <cstdint>
#include <string>

#include "engine/sim/world.h"

namespace tributary::sim {

struct Distribution {
  int peers = 10;
  Bytes size = 20_MiB;
  Bytes piece_length = core::kBlockSize;  // what peers tell each other of; larger ones cost less
  BitRate server_up = 10_Mbps;
  BitRate peer_up = 2_Mbps;
  BitRate peer_down = 20_Mbps;
  bool among_peers = true;  // else each takes all from the server
  std::uint64_t seed = 1;

  // F / u_s, F / d_min and N F / (u_s + sum u_i), or N F / u_s: the largest.
  Duration bound() const;
};

struct DistributionReport {
  Distribution what;
  Duration took{};  // until the last had all
  std::uint64_t digest = 0;

  // took / bound, in thousandths.
  std::int64_t permille() const { return mul_div(took.count(), 1000, what.bound().count()); }
  std::string line() const;
};

DistributionReport distribute(const Distribution& what);

}  // namespace tributary::sim
