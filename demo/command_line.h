// The command line of a program with subcommands. CLI11 is included by command_line.cpp alone: it
// is the dearest header of all to compile.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tributary::demo {

// The arguments of one subcommand. `name` is "dir" for one that is known by its place, "--rate" or
// "-o,--output" for an option; `type` is how help calls its value. The values must live until
// CommandLine::run() has returned; where an argument is not given they stay as they are.
class Subcommand {
 public:
  // An option may be given once.
  void add(const std::string& name, const std::string& type, std::string& value,
           const std::string& help);
  void require(const std::string& name, const std::string& type, std::string& value,
               const std::string& help);

  // An option may be repeated, each time with one value.
  void add(const std::string& name, const std::string& type, std::vector<std::string>& values,
           const std::string& help);
  // All that is left over of the line; at least one.
  void require(const std::string& name, const std::string& type, std::vector<std::string>& values,
               const std::string& help);

  // An option without a value.
  void add(const std::string& name, bool& value, const std::string& help);

  // `parse` is one of arguments.h. Its error becomes the one line of a usage error.
  template <class T>
  void add(const std::string& name, const std::string& type, T& value,
           Result<T> (*parse)(std::string_view), const std::string& help) {
    add_parsed(
        name, type,
        [&value, parse](const std::string& text) -> Result<void> {
          TRIBUTARY_TRY(parsed, parse(text));
          value = std::move(parsed);
          return {};
        },
        help);
  }

 private:
  friend class CommandLine;
  explicit Subcommand(CLI::App& app) : app_(app) {}
  void add_parsed(const std::string& name, const std::string& type,
                  const std::function<Result<void>(const std::string&)>& store,
                  const std::string& help);

  CLI::App& app_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& version, const std::string& about,
              const std::string& example);
  ~CommandLine();

  // `chosen` is what the subcommand does, once its arguments are read; it returns the exit code.
  Subcommand add(const std::string& name, const std::string& about, const std::string& example,
                 std::function<int()> chosen);

  // Help and version go to stdout; a usage error is one line on stderr. Returns the exit code.
  int run(int argc, char** argv);

 private:
  bool is_unknown_command(const std::string& word) const;

  std::unique_ptr<CLI::App> app_;
  std::function<int()> chosen_;  // set by the subcommand that is on the line
};

}  // namespace tributary::demo
