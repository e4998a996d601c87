// The frame of a report: one page that needs nothing else, no script, no font, no other file. Pure.
#pragma once

#include <string>

namespace tributary::demo {

struct HtmlPage {
  std::string name;
  std::string title;    // one sentence, without its full stop
  std::string what;     // was simulated: the same
  std::string command;  // that makes it again; may be empty
};

// From the beginning to where tables and sections follow, and the end. Light and dark are as the
// reader's system has it.
std::string html_begin(const HtmlPage& page);
std::string html_end();

// A card of the grid between html_plots_begin() and html_plots_end().
std::string html_plot(const std::string& title, const std::string& note, const std::string& svg);
std::string html_plots_begin();
std::string html_plots_end();

}  // namespace tributary::demo
