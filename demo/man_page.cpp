#include "demo/man_page.h"

#include <algorithm>
#include <sstream>

namespace tributary::demo {
namespace {

// Text that stands for itself. UTF-8 is left as it is; man reads it.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// The same where it may begin a line, which a dot or a quote would make a request.
std::string roff_line(std::string_view text) {
  const bool special = text.starts_with('.') || text.starts_with('\'');
  return (special ? "\\&" : "") + roff(text);
}

std::string in_capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string synopsis_of(const CommandText& command) {
  std::string text = "[" + italic("OPTION") + "]...";
  for (const OptionText& option : command.options) {
    if (option.is_positional()) {
      text += " " + italic(option.type) + (option.repeated ? "..." : "");
    } else if (option.required) {
      text += " " + bold(option.names.back()) + " " + italic(option.type);
    }
  }
  return text;
}

std::string option_entry(const OptionText& option) {
  std::string term;
  for (const std::string& name : option.names) term += (term.empty() ? "" : ", ") + bold(name);
  if (!option.type.empty()) term += (term.empty() ? "" : " ") + italic(option.type);
  return ".TP\n" + term + "\n" + roff_line(option.help) + ".\n";
}

// What help prints behind the options: lines that stand as they are.
std::string remarks(const std::string& footer) {
  std::string text = ".SH NOTES\n.nf\n";
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) text += roff_line(line) + "\n";
  return text + ".fi\n";
}

std::string pages(const CommandText& program, const CommandText* but) {
  std::string text;
  const auto add = [&text](const std::string& name) {
    text += (text.empty() ? ".BR " : ",\n.BR ") + roff(name) + " (1)";
  };
  if (but != nullptr) add(program.name);
  for (const CommandText& command : program.commands) {
    if (&command != but) add(program.name + "-" + command.name);
  }
  return text + "\n";
}

std::string command_list(const CommandText& program) {
  std::string text = ".SH COMMANDS\n";
  for (const CommandText& command : program.commands) {
    text += ".TP\n" + bold(command.name) + "\n" + roff_line(command.about) + ".\n";
  }
  return text;
}

constexpr const char* kExitStatus =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 1\nfailed while running: network, disk, port taken\n"
    ".TP\n.B 2\nwrong usage or wrong input\n"
    ".TP\n.B 130\nended by a second Ctrl\\-C\n";

}  // namespace

std::string man_page(const CommandText& program, const CommandText* command,
                     const std::string& version) {
  const CommandText& subject = command != nullptr ? *command : program;
  const std::string name = program.name + (command != nullptr ? "-" + command->name : "");
  const std::string call =
      bold(program.name) + (command != nullptr ? " " + bold(command->name) : "");
  std::string text = ".TH " + roff(in_capitals(name)) + " 1 \"\" \"" + roff(program.name) + " " +
                     roff(version) + "\"\n.SH NAME\n" + roff(name) + " \\- " + roff(subject.about) +
                     "\n.SH SYNOPSIS\n" + call + " " +
                     (command != nullptr ? synopsis_of(*command)
                                         : italic("COMMAND") + " [" + italic("ARGUMENT") + "]...") +
                     "\n";
  if (command == nullptr) text += command_list(program);
  text += ".SH OPTIONS\n";
  for (const OptionText& option : subject.options) text += option_entry(option);
  return text + remarks(subject.footer) + kExitStatus + ".SH SEE ALSO\n" + pages(program, command);
}

}  // namespace tributary::demo
