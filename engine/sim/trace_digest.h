// A running 64-bit digest over everything that passes between a node and its host: two runs with
// the same digest made the same decisions at the same times. Not cryptographic.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdn/pool/http.h"
#include "engine/base/units.h"
#include "engine/core/events.h"
#include "engine/sim/event_queue.h"
#include "player/node/node.h"

namespace tributary::sim {

class TraceDigest {
 public:
  std::uint64_t value() const { return state_; }
  std::uint64_t count() const { return count_; }  // inputs and actions so far

  void input(TimePoint now, HostId host, const core::Input& input);
  void input(TimePoint now, HostId host, const cdn::HttpInput& input);
  void input(TimePoint now, HostId host, const player::PlayerInput& input);
  void action(TimePoint now, HostId host, const player::NodeAction& action);

  void add(std::uint64_t word);
  void add(std::string_view text);

 private:
  void begin(TimePoint now, HostId host, std::uint64_t kind);

  std::uint64_t state_ = 0x7269627574617279;
  std::uint64_t count_ = 0;
};

}  // namespace tributary::sim
