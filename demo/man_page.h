// Manual pages in the man(7) language. Pure.
#pragma once

#include <optional>
#include <string>

#include "demo/command_text.h"

namespace tributary::demo {

// The page NAME(1) of the program, or NAME-COMMAND(1) of one of its subcommands: `command` is none
// or one of program.commands. `version` is told in its foot.
std::string man_page(const CommandText& program, const CommandText* command,
                     const std::string& version);

}  // namespace tributary::demo
