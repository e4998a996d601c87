// tributary: one command with subcommands; each has a file of its own.
#include "demo/command.h"

namespace {

constexpr const char* kAbout =
    "Streams media from a CDN and from peers at once: starts from the server, shifts to the "
    "peers,\n"
    "and never lets the buffer run dry.";

constexpr const char* kExample =
    "A whole network on one machine, each line in a terminal of its own:\n"
    "  tributary origin music\n"
    "  tributary tracker\n"
    "  tributary publish music/song.opus --edge http://127.0.0.1:8080/ \\\n"
    "      --tracker http://127.0.0.1:6969/announce -o song.torrent\n"
    "  tributary seed song.torrent --data music\n"
    "  tributary play song.torrent\n"
    "`tributary COMMAND --help` explains each.";

}  // namespace

int main(int argc, char** argv) {
  tributary::demo::CommandLine line("tributary", TRIBUTARY_VERSION, kAbout, kExample);
  tributary::demo::add_play(line);
  tributary::demo::add_gateway(line);
  tributary::demo::add_publish(line);
  tributary::demo::add_inspect(line);
  tributary::demo::add_seed(line);
  tributary::demo::add_origin(line);
  tributary::demo::add_tracker(line);
  tributary::demo::add_dht(line);
  tributary::demo::add_loadtest(line);
  tributary::demo::add_replay(line);
  tributary::demo::add_completion(line);
  tributary::demo::add_man(line);
  return line.run(argc, argv);
}
