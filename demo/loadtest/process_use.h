// What this process takes of the machine.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/sim/load_report.h"

namespace tributary::demo {

// The processor's time of all threads; what is in memory now, shared pages included.
Duration processor_time();
Bytes resident_memory();

// Lets the process open so many files and sockets, as far as it is allowed to by itself. Errors:
// kLimit, with how to raise it.
Result<void> allow_open_files(std::int64_t count);

// From its making on. Tracks: how many nodes there were for how long, and how much memory they took
// while most were there.
class UseMeter {
 public:
  UseMeter() : processor_(processor_time()), memory_(resident_memory()) {}

  // At any time, and often: `nodes` were there since the last call.
  void look(TimePoint now, std::int32_t nodes);
  sim::MachineUse use() const;

 private:
  Duration processor_;
  Bytes memory_;
  TimePoint last_{};
  Duration online_{};
  std::int32_t most_ = 0;
  Bytes most_memory_;
};

}  // namespace tributary::demo
