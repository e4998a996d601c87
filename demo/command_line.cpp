#include "demo/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "demo/command.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

constexpr int kLineWidth = 2000;  // columns
constexpr int kWordWidth = 100;

// CLI11 names the option at fault; the rest of the line says where to look.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = app.get_name();
  for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
  const std::string message = fit_text(error.what(), kLineWidth);
  std::fprintf(stderr, "%s: %s; see %s --help\n", command.c_str(), message.c_str(),
               command.c_str());
  return kExitUsage;
}

std::string without_trailing_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

OptionText text_of(const CLI::Option& option) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) text.type = option.get_type_name();
  text.help = option.get_description();
  text.required = option.get_required();
  text.repeated = option.get_items_expected_max() > 1;
  return text;
}

CommandText text_of(const CLI::App& app) {
  CommandText text;
  text.name = app.get_name();
  text.about = without_trailing_newline(app.get_description());
  text.footer = without_trailing_newline(app.get_footer());
  for (const CLI::Option* option : app.get_options()) text.options.push_back(text_of(*option));
  for (const CLI::App* sub : app.get_subcommands(nullptr)) text.commands.push_back(text_of(*sub));
  return text;
}

}  // namespace

void Subcommand::add(const std::string& name, const std::string& type, std::string& value,
                     const std::string& help) {
  app_.add_option(name, value, help)->type_name(type);
}

void Subcommand::require(const std::string& name, const std::string& type, std::string& value,
                         const std::string& help) {
  app_.add_option(name, value, help)->type_name(type)->required();
}

void Subcommand::add(const std::string& name, const std::string& type,
                     std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help)->type_name(type)->allow_extra_args(false);
}

void Subcommand::require(const std::string& name, const std::string& type,
                         std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help)->type_name(type)->required();
}

void Subcommand::add(const std::string& name, bool& value, const std::string& help) {
  app_.add_flag(name, value, help);
}

void Subcommand::add_parsed(const std::string& name, const std::string& type, const Store& store,
                            const std::string& help, bool required) {
  const auto check = [store](const std::string& text) {
    auto stored = store(text);
    if (!stored) throw CLI::ValidationError(stored.error().message);
  };
  app_.add_option_function<std::string>(name, check, help)->type_name(type)->required(required);
}

CommandLine::CommandLine(const std::string& name, const std::string& version,
                         const std::string& about, const std::string& example)
    : version_(version), app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", name + " " + version, "Print the version");
  app_->set_help_flag("-h,--help", "Print this help");
  app_->require_subcommand(1);
  app_->footer(example);
}

CommandLine::~CommandLine() = default;

Subcommand CommandLine::add(const std::string& name, const std::string& about,
                            const std::string& example, std::function<int()> chosen) {
  CLI::App* sub = app_->add_subcommand(name, about);
  sub->footer(example);
  sub->callback([this, chosen = std::move(chosen)] { chosen_ = chosen; });
  return Subcommand(*sub, choices_);
}

CommandText CommandLine::text() const {
  CommandText text = text_of(*app_);
  for (CommandText& command : text.commands) {
    for (OptionText& option : command.options) {
      if (option.is_positional()) continue;
      const auto known = choices_.find(option.names.back());
      if (known != choices_.end()) option.choices = known->second;
    }
  }
  return text;
}

// CLI11 would only say that a subcommand is missing.
bool CommandLine::is_unknown_command(const std::string& word) const {
  if (word.starts_with('-')) return false;
  std::string known;
  for (const CLI::App* sub : app_->get_subcommands(nullptr)) {
    if (sub->get_name() == word) return false;
    known += (known.empty() ? "" : ", ") + sub->get_name();
  }
  std::fprintf(stderr, "%s: unknown command '%s'; choose %s\n", app_->get_name().c_str(),
               fit_text(word, kWordWidth).c_str(), known.c_str());
  return true;
}

int CommandLine::run(int argc, char** argv) {
  if (argc > 1 && is_unknown_command(argv[1])) return kExitUsage;
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app_->exit(error);  // --help, --version
    return usage_error(*app_, error);
  }
  return chosen_();
}

}  // namespace tributary::demo
