// What play and seed do, with --listen, to be found by others.
#pragma once

#include "demo/command_line.h"

namespace tributary::demo {

struct ReachArguments {
  bool no_local = false;
  bool no_mapping = false;
};
void add_reach_options(Subcommand& sub, ReachArguments& arguments);

}  // namespace tributary::demo
