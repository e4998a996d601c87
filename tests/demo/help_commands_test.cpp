// Completions and manual pages say what --help says, and the programs that read them agree.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <regex>
#include <set>

#include "demo/completion.h"
#include "demo/man_page.h"
#include "tests/demo/process.h"

using namespace tributary::demo;           // NOLINT
using namespace tributary::demo::testing;  // NOLINT

namespace {

using Words = std::set<std::string>;

const std::vector<std::string> kCommands = {"play",     "publish", "inspect",    "seed",
                                            "origin",   "tracker", "dht",        "gateway",
                                            "loadtest", "replay",  "completion", "man"};

std::string output_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = run(arguments);
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  return outcome.out;
}

Words matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Words words;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    words.insert((*it)[1]);
  }
  return words;
}

// The options that help lists, each with a line that begins by its names.
Words options_in_help(const std::string& help) {
  Words options;
  const std::regex line("(?:^|\n)  (-[^ ]*)");
  for (std::sregex_iterator it(help.begin(), help.end(), line), end; it != end; ++it) {
    const std::string names = (*it)[1];
    options.merge(matches(names, "(--?[a-z-]+)"));
  }
  return options;
}

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// Runs a script that the shell reads from a file; what it prints, a word a line.
Words run_script(const std::string& shell, const Folder& folder, const std::string& script) {
  folder.add_text("script", script);
  const std::string command = shell + " " + folder.path("script") + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), part.size(), pipe.get()) != nullptr) text += part.data();
  return matches(text, "([^\n\t]+)[^\n]*");
}

Words completed_by_bash(const Folder& folder, const std::string& words) {
  return run_script("bash --norc", folder,
                    output_of({"completion", "bash"}) + "COMP_WORDS=(" + words +
                        ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_tributary\n"
                        "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
}

Words completed_by_fish(const Folder& folder, const std::string& line) {
  return run_script("fish --no-config", folder,
                    output_of({"completion", "fish"}) + "complete -C '" + line + "'\n");
}

// The function is called with stand-ins for what zsh only has at a prompt; they print what they
// get.
Words specs_of_zsh(const Folder& folder, const std::string& command) {
  return run_script("zsh -f", folder,
                    "compdef() {}\n_arguments() { print -l -- $@ }\n" +
                        output_of({"completion", "zsh"}) + "words=(tributary " + command +
                        " '')\nCURRENT=3\n_tributary\n");
}

CommandText sample() {
  CommandText program;
  program.name = "prog";
  program.about = "Does it";
  CommandText command;
  command.name = "run";
  command.about = "Runs 'it'";
  command.footer = ".first line\nC:\\path --flag";
  command.options = {{{"-o", "--out"}, "FILE", "Where to", {}, true, false},
                     {{"--mode"}, "NAME", "How [so]: or so", {"a", "b"}, false, false},
                     {{}, "SOURCE", "What", {}, true, true}};
  program.commands = {command};
  return program;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("bash completes every option that help lists, and no other") {
  const Folder folder;
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    CHECK(completed_by_bash(folder, "tributary " + command + " -") ==
          options_in_help(output_of({command, "--help"})));
  }
}

TEST_CASE("bash completes subcommands, the values of choices, files and folders") {
  const Folder folder;
  folder.add_text("track.torrent", "");
  std::filesystem::create_directory(folder.path("folder"));
  CHECK(completed_by_bash(folder, "tributary tr") == Words{"tracker"});
  CHECK(completed_by_bash(folder, "tributary play --policy ''") ==
        Words{"adaptive", "spotify", "cdn-only", "peers-only"});
  CHECK(completed_by_bash(folder, "tributary seed --transport u") == Words{"utp"});
  CHECK(completed_by_bash(folder, "tributary play " + folder.path("tr")) ==
        Words{folder.path("track.torrent")});
  CHECK(completed_by_bash(folder, "tributary origin " + folder.path("fo")) ==
        Words{folder.path("folder")});
}

TEST_CASE("fish completes every long option that help lists, and no other") {
  REQUIRE(is_installed("fish"));
  const Folder folder;
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    Words listed = options_in_help(output_of({command, "--help"}));
    std::erase_if(listed, [](const std::string& name) { return !name.starts_with("--"); });
    CHECK(completed_by_fish(folder, "tributary " + command + " --") == listed);
  }
  CHECK(completed_by_fish(folder, "tributary play --policy c") == Words{"cdn-only"});
}

TEST_CASE("zsh is told every option that help lists, and no other") {
  REQUIRE(is_installed("zsh"));
  const Folder folder;
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    Words told;
    for (const std::string& spec : specs_of_zsh(folder, command)) {
      told.merge(matches(spec, "^\\*?(--?[a-z-]+)\\["));
    }
    CHECK(told == options_in_help(output_of({command, "--help"})));
  }
}

TEST_CASE("mandoc has nothing to say against any manual page") {
  REQUIRE(is_installed("mandoc"));
  const Folder folder;
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    const std::string page = output_of({"man", command});
    folder.add_text("page.1", page);
    // A date that stays away is no fault of the text.
    CHECK(run_script("sh", folder,
                     "mandoc -Tlint -Wwarning " + folder.path("page.1") +
                         " | grep -v 'missing date' | grep -v 'outdated mandoc.db'\n") == Words{});
    for (const std::string& option : options_in_help(output_of({command, "--help"}))) {
      CAPTURE(option);
      CHECK(holds(page, std::regex_replace(option, std::regex("-"), "\\-")));
    }
  }
}

TEST_CASE("a manual page of a command that there is not is told in one line") {
  const Outcome outcome = run({"man", "sing"});
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "tributary man: no command 'sing'; see tributary --help\n");
}

TEST_CASE("what shells and man take for their own is escaped") {
  const CommandText program = sample();
  CHECK(holds(completion(Shell::kZsh, program), "'--mode[How \\[so\\]\\: or so]:NAME:(a b)'"));
  CHECK(holds(completion(Shell::kZsh, program), "'run:Runs '\\''it'\\'''"));
  CHECK(holds(completion(Shell::kFish, program), "-a run -d 'Runs \\'it\\''"));
  const std::string page = man_page(program, &program.commands[0], "1.2");
  CHECK(holds(page, "\n\\&.first line\nC:\\epath \\-\\-flag\n"));
  CHECK(holds(page, "\\fB\\-\\-out\\fR \\fIFILE\\fR \\fISOURCE\\fR..."));
}
