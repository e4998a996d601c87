// tributary completion and tributary man: what --help says, in the forms that shells and man take.
#include <cstdio>
#include <memory>

#include "demo/command.h"
#include "demo/completion.h"
#include "demo/man_page.h"
#include "demo/named.h"

namespace tributary::demo {
namespace {

constexpr const char* kCompletion = "completion";
constexpr const char* kMan = "man";

Result<Shell> parse_shell(std::string_view text) { return parse_named("shell", text, kShells); }

int print_man_page(const CommandLine& line, const std::string& name) {
  const CommandText program = line.text();
  const CommandText* command = nullptr;
  for (const CommandText& each : program.commands) {
    if (each.name == name) command = &each;
  }
  if (command == nullptr && !name.empty()) {
    return fail(kMan, invalid("no command '" + name + "'; see tributary --help"));
  }
  std::fputs(man_page(program, command, line.version()).c_str(), stdout);
  return kExitDone;
}

constexpr const char* kCompletionExample =
    "Examples:\n"
    "  source <(tributary completion bash)        # in ~/.bashrc\n"
    "  source <(tributary completion zsh)         # in ~/.zshrc, behind compinit\n"
    "  tributary completion fish | source         # in ~/.config/fish/config.fish";

constexpr const char* kManExample =
    "Examples:\n"
    "  tributary man | man -l -\n"
    "  tributary man play > tributary-play.1";

}  // namespace

void add_completion(CommandLine& line) {
  auto shell = std::make_shared<Shell>(Shell::kBash);
  Subcommand sub = line.add(kCompletion, "Print what makes a shell complete this command",
                            kCompletionExample, [&line, shell] {
                              std::fputs(completion(*shell, line.text()).c_str(), stdout);
                              return static_cast<int>(kExitDone);
                            });
  sub.require("shell", "bash|zsh|fish", *shell, parse_shell, "The shell");
}

void add_man(CommandLine& line) {
  auto command = std::make_shared<std::string>();
  Subcommand sub = line.add(kMan, "Print a manual page", kManExample,
                            [&line, command] { return print_man_page(line, *command); });
  sub.add("command", "COMMAND", *command, "What it is about (the program)");
}

}  // namespace tributary::demo
