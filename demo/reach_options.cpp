#include "demo/reach_options.h"

namespace tributary::demo {

void add_reach_options(Subcommand& sub, ReachArguments& arguments) {
  sub.add("--no-lsd", arguments.no_local,
          "Tell the local network nothing and ask it nothing (BEP 14; only with --listen)");
  sub.add("--no-port-mapping", arguments.no_mapping,
          "Do not ask the router to pass the port of --listen on (NAT-PMP, UPnP)");
}

}  // namespace tributary::demo
