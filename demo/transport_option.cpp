#include "demo/transport_option.h"

#include "engine/wire/text.h"

namespace tributary::demo {

Result<net::Carriers> parse_transport(std::string_view text) {
  if (text == "both") return net::Carriers::kBoth;
  if (text == "tcp") return net::Carriers::kTcp;
  if (text == "utp") return net::Carriers::kUtp;
  return invalid("unknown transport '" + wire::printable(text) + "'; choose both, tcp, utp");
}

void add_transport_option(Subcommand& sub, net::Carriers& carriers) {
  sub.add("--transport", "NAME", carriers, parse_transport,
          "Talk to peers by tcp, by utp (gives way to all other traffic) or both: tcp first where "
          "blocks are waited for, else utp (both)");
}

}  // namespace tributary::demo
