// tributary: one command with subcommands; each has a file of its own.
#include <cstdio>

#include "demo/command.h"
#include "demo/text_width.h"

namespace {

using tributary::demo::Chosen;

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

// CLI11 names the option at fault; the rest of the line says where to look.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "tributary";
  for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
  const std::string message = tributary::demo::fit_text(error.what(), 2000);
  std::fprintf(stderr, "%s: %s; see %s --help\n", command.c_str(), message.c_str(),
               command.c_str());
  return tributary::demo::kExitUsage;
}

// CLI11 would only say that a subcommand is missing.
bool is_unknown_command(const CLI::App& app, const char* word) {
  const std::string name = word;
  if (name.starts_with('-')) return false;
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    if (sub->get_name() == name) return false;
  }
  std::string known;
  for (const CLI::App* sub : app.get_subcommands(nullptr)) {
    known += (known.empty() ? "" : ", ") + sub->get_name();
  }
  std::fprintf(stderr, "tributary: unknown command '%s'; choose %s\n",
               tributary::demo::fit_text(name, 100).c_str(), known.c_str());
  return true;
}

int run(int argc, char** argv) {
  CLI::App app(kAbout, "tributary");
  app.set_version_flag("--version", "tributary " TRIBUTARY_VERSION, "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  app.require_subcommand(1);
  app.footer(kExample);
  Chosen chosen;
  tributary::demo::add_play(app, chosen);
  tributary::demo::add_publish(app, chosen);
  tributary::demo::add_inspect(app, chosen);
  tributary::demo::add_seed(app, chosen);
  tributary::demo::add_origin(app, chosen);
  tributary::demo::add_tracker(app, chosen);
  if (argc > 1 && is_unknown_command(app, argv[1])) return tributary::demo::kExitUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return usage_error(app, error);
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
