#include "demo/completion.h"

#include <span>

namespace tributary::demo {
namespace {

// What a shell offers where a value stands.
enum class Value { kNone, kAny, kChoice, kFile, kFolder };

Value value_of(const OptionText& option) {
  if (option.type.empty()) return Value::kNone;
  if (!option.choices.empty()) return Value::kChoice;
  if (option.type == "DIR") return Value::kFolder;
  for (const char* file : {"FILE", "SOURCE", "TORRENT", ".toml", ".torrent", ".jsonl"}) {
    if (option.type.find(file) != std::string::npos) return Value::kFile;
  }
  return Value::kAny;
}

std::string joined(std::span<const std::string> words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(between)) + word;
  return text;
}

std::string names_of(const CommandText& command) {
  std::string names;
  for (const OptionText& option : command.options) {
    if (!option.is_positional()) names += " " + joined(option.names, " ");
  }
  return names.substr(names.empty() ? 0 : 1);
}

std::string commands_of(const CommandText& program) {
  std::string names;
  for (const CommandText& command : program.commands) {
    names += (names.empty() ? "" : " ") + command.name;
  }
  return names;
}

const OptionText* positional_of(const CommandText& command) {
  for (const OptionText& option : command.options) {
    if (option.is_positional()) return &option;
  }
  return nullptr;
}

// Within single quotes of bash and zsh.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// --- bash ---

std::string bash_value(const OptionText& option) {
  switch (value_of(option)) {
    case Value::kChoice:
      return "COMPREPLY=($(compgen -W " + quoted(joined(option.choices, " ")) + " -- \"$word\"))";
    case Value::kFile:
      return "COMPREPLY=($(compgen -f -- \"$word\"))";
    case Value::kFolder:
      return "COMPREPLY=($(compgen -d -- \"$word\"))";
    case Value::kAny:
    case Value::kNone:
      break;
  }
  return "COMPREPLY=()";
}

std::string bash_command(const CommandText& command) {
  std::string text = "    " + command.name + ")\n      case \"$before\" in\n";
  for (const OptionText& option : command.options) {
    if (option.is_positional() || option.type.empty()) continue;
    text += "        " + joined(option.names, "|") + ") " + bash_value(option) + "; return ;;\n";
  }
  text += "      esac\n      if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W " +
          quoted(names_of(command)) + " -- \"$word\"))\n";
  if (const OptionText* positional = positional_of(command)) {
    text += "      else\n        " + bash_value(*positional) + "\n";
  }
  return text + "      fi ;;\n";
}

std::string bash(const CommandText& program) {
  const std::string function = "_" + program.name;
  std::string text = "# bash completion of " + program.name + "\n" + function +
                     "() {\n"
                     "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "  COMPREPLY=()\n"
                     "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
                     "    COMPREPLY=($(compgen -W " +
                     quoted(commands_of(program) + " " + names_of(program)) +
                     " -- \"$word\"))\n    return\n  fi\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const CommandText& command : program.commands) text += bash_command(command);
  return text + "  esac\n}\ncomplete -o filenames -F " + function + " " + program.name + "\n";
}

// --- zsh ---

// In a description between brackets, or behind a colon.
std::string zsh_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const OptionText& option) {
  switch (value_of(option)) {
    case Value::kChoice:
      return "(" + joined(option.choices, " ") + ")";
    case Value::kFile:
      return "_files";
    case Value::kFolder:
      return "_files -/";
    case Value::kAny:
    case Value::kNone:
      break;
  }
  return " ";
}

// One for each name, as _arguments takes them.
std::string zsh_specs(const OptionText& option) {
  const std::string value = ":" + zsh_escaped(option.type) + ":" + zsh_action(option);
  if (option.is_positional()) return " \\\n        " + quoted((option.repeated ? "*" : "") + value);
  const std::string repeated = option.repeated ? "*" : "";
  std::string text;
  for (const std::string& name : option.names) {
    text += " \\\n        " + quoted(repeated + name + "[" + zsh_escaped(option.help) + "]" +
                                     (option.type.empty() ? "" : value));
  }
  return text;
}

std::string zsh(const CommandText& program) {
  const std::string function = "_" + program.name;
  std::string text = "#compdef " + program.name + "\n" + function +
                     "() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(";
  for (const CommandText& command : program.commands) {
    text += "\n      " + quoted(command.name + ":" + zsh_escaped(command.about));
  }
  text += ")\n    _describe command commands\n    _arguments";
  for (const OptionText& option : program.options) text += zsh_specs(option);
  text +=
      "\n    return\n  fi\n  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n"
      "  case $command in\n";
  for (const CommandText& command : program.commands) {
    text += "    " + command.name + ")\n      _arguments";
    for (const OptionText& option : command.options) text += zsh_specs(option);
    text += " ;;\n";
  }
  // Sourced, it says itself what it completes; found in $fpath, it is the function's body.
  return text + "  esac\n}\nif [[ $funcstack[1] == " + function + " ]]; then\n  " + function +
         " \"$@\"\nelse\n  compdef " + function + " " + program.name + "\nfi\n";
}

// --- fish ---

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_value(const OptionText& option) {
  switch (value_of(option)) {
    case Value::kChoice:
      return " -x -a " + fish_quoted(joined(option.choices, " "));
    case Value::kFile:
      return " -r -F";
    case Value::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case Value::kAny:
      return " -x";
    case Value::kNone:
      break;
  }
  return "";
}

std::string fish_option(const std::string& start, const OptionText& option) {
  std::string text = start;
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    text += is_long ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return text + fish_value(option) + " -d " + fish_quoted(option.help) + "\n";
}

std::string fish(const CommandText& program) {
  const std::string complete = "complete -c " + program.name;
  std::string text = "# fish completion of " + program.name + "\n" + complete + " -f\n";
  const std::string first = complete + " -n __fish_use_subcommand";
  for (const OptionText& option : program.options) text += fish_option(first, option);
  for (const CommandText& command : program.commands) {
    text += first + " -a " + command.name + " -d " + fish_quoted(command.about) + "\n";
  }
  for (const CommandText& command : program.commands) {
    const std::string within =
        complete + " -n " + fish_quoted("__fish_seen_subcommand_from " + command.name);
    for (const OptionText& option : command.options) {
      if (!option.is_positional()) {
        text += fish_option(within, option);
      } else if (value_of(option) != Value::kAny) {
        text += within + (value_of(option) == Value::kFile ? " -F" : fish_value(option)) + "\n";
      }
    }
  }
  return text;
}

}  // namespace

std::string_view to_string(Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return "bash";
    case Shell::kZsh:
      return "zsh";
    case Shell::kFish:
      break;
  }
  return "fish";
}

std::string completion(Shell shell, const CommandText& program) {
  switch (shell) {
    case Shell::kBash:
      return bash(program);
    case Shell::kZsh:
      return zsh(program);
    case Shell::kFish:
      break;
  }
  return fish(program);
}

}  // namespace tributary::demo
