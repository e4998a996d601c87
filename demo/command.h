// What all subcommands share: how they are added to the command line, how they fail, and their exit
// codes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "demo/command_line.h"
#include "engine/base/result.h"

namespace tributary::demo {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,         // at run time: network, disk, port taken
  kExitUsage = 2,          // wrong usage or wrong input
  kExitInterrupted = 130,  // a second Ctrl-C
};

void add_publish(CommandLine& line);
void add_inspect(CommandLine& line);
void add_origin(CommandLine& line);
void add_tracker(CommandLine& line);
void add_seed(CommandLine& line);
void add_dht(CommandLine& line);
void add_play(CommandLine& line);
void add_gateway(CommandLine& line);
void add_loadtest(CommandLine& line);
void add_replay(CommandLine& line);
void add_completion(CommandLine& line);
void add_man(CommandLine& line);

// Prints "tributary COMMAND: message" on stderr, printable and in one line. Returns the exit code
// that the error's kind stands for.
int fail(std::string_view command, const Error& error);

// Whether a file can be made there; to be asked before the work that fills it. Errors: kNotFound.
Result<void> check_writable(const std::string& path);
// Puts a whole new file there, see net::replace_file().
Result<void> write_file(const std::string& path, std::string_view text);

// What play and gateway are given. Errors: a source that cannot be one, a file that is not there.
Result<void> check_sources(const std::vector<std::string>& sources);

}  // namespace tributary::demo
