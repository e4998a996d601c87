// What all subcommands share: how they are registered, how they fail, and their exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace tributary::demo {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,         // at run time: network, disk, port taken
  kExitUsage = 2,          // wrong usage or wrong input
  kExitInterrupted = 130,  // a second Ctrl-C
};

// Set by the subcommand that was chosen; what main() runs after parsing.
using Chosen = std::function<int()>;

void add_publish(CLI::App& app, Chosen& chosen);
void add_inspect(CLI::App& app, Chosen& chosen);
void add_origin(CLI::App& app, Chosen& chosen);
void add_tracker(CLI::App& app, Chosen& chosen);
void add_seed(CLI::App& app, Chosen& chosen);
void add_play(CLI::App& app, Chosen& chosen);

// Prints "tributary COMMAND: message" on stderr, printable and in one line. Returns the exit code
// that the error's kind stands for.
int fail(std::string_view command, const Error& error);

// Whether a file can be made there; to be asked before the work that fills it. Errors: kNotFound.
Result<void> check_writable(const std::string& path);

// A CLI11 check that also stores the value: `parse` is one of arguments.h. Its error becomes the
// one line of a usage error.
template <class T>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& value,
                        Result<T> (*parse)(std::string_view), const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&value, parse](const std::string& text) {
            auto parsed = parse(text);
            if (!parsed) throw CLI::ValidationError(parsed.error().message);
            value = *std::move(parsed);
          },
          help)
      ->type_name("");
}

}  // namespace tributary::demo
