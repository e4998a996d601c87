// The command line of a program with subcommands. CLI11 is included by command_line.cpp alone: it
// is the dearest header of all to compile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "demo/command_text.h"
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
    add_parsed(name, type, storing(value, parse), help, false);
  }
  template <class T>
  void require(const std::string& name, const std::string& type, T& value,
               Result<T> (*parse)(std::string_view), const std::string& help) {
    add_parsed(name, type, storing(value, parse), help, true);
  }

  // What a shell offers for the value of an option that was added. All commands' options of a name
  // have the same.
  void offer(const std::string& name, std::vector<std::string> choices) {
    choices_[name] = std::move(choices);
  }

 private:
  friend class CommandLine;
  using Choices = std::map<std::string, std::vector<std::string>>;  // by option
  Subcommand(CLI::App& app, Choices& choices) : app_(app), choices_(choices) {}
  using Store = std::function<Result<void>(const std::string&)>;
  template <class T>
  static Store storing(T& value, Result<T> (*parse)(std::string_view)) {
    return [&value, parse](const std::string& text) -> Result<void> {
      TRIBUTARY_TRY(parsed, parse(text));
      value = std::move(parsed);
      return {};
    };
  }
  void add_parsed(const std::string& name, const std::string& type, const Store& store,
                  const std::string& help, bool required);

  CLI::App& app_;
  Choices& choices_;
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

  // All that was added so far.
  CommandText text() const;
  const std::string& version() const { return version_; }

 private:
  bool is_unknown_command(const std::string& word) const;

  const std::string version_;
  std::unique_ptr<CLI::App> app_;
  Subcommand::Choices choices_;
  std::function<int()> chosen_;  // set by the subcommand that is on the line
};

}  // namespace tributary::demo
