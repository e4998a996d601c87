// A command line as values: what completions and manual pages are made from.
#pragma once

#include <string>
#include <vector>

namespace tributary::demo {

// An option, or an argument that is known by its place.
struct OptionText {
  std::vector<std::string> names;  // with their dashes, short ones first; none: known by its place
  std::string type;                // how help calls the value: "RATE"; empty: takes none
  std::string help;
  std::vector<std::string> choices;  // the values that there are; empty: any
  bool required = false;
  bool repeated = false;  // may be given more than once

  bool is_positional() const { return names.empty(); }
};

struct CommandText {
  std::string name;
  std::string about;
  std::string footer;  // remarks and examples, in lines
  std::vector<OptionText> options;
  std::vector<CommandText> commands;  // subcommands
};

}  // namespace tributary::demo
