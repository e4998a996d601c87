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

void Subcommand::add_parsed(const std::string& name, const std::string& type,
                            const std::function<Result<void>(const std::string&)>& store,
                            const std::string& help) {
  const auto check = [store](const std::string& text) {
    auto stored = store(text);
    if (!stored) throw CLI::ValidationError(stored.error().message);
  };
  app_.add_option_function<std::string>(name, check, help)->type_name(type);
}

CommandLine::CommandLine(const std::string& name, const std::string& version,
                         const std::string& about, const std::string& example)
    : app_(std::make_unique<CLI::App>(about, name)) {
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
  return Subcommand(*sub);
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
