#include "demo/loadtest/html_page.h"

#include "demo/loadtest/svg_plot.h"

namespace tributary::demo {
namespace {

constexpr const char* kStyle = R"(
:root { --page: #ffffff; --ink: #1c2430; --faint: #d9dee5; --soft: #5c6675; --card: #f6f8fa;
  --series-1: #0072b2; --series-2: #d55e00; --series-3: #009e73; --series-4: #cc79a7;
  --series-5: #8a6d00; --series-6: #56b4e9; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --ink: #e6eaf0; --faint: #333c48; --soft: #a2adbb; --card: #1a2029;
    --series-1: #4aa8e8; --series-2: #ff8c42; --series-3: #2fcf9f; --series-4: #e59cc4;
    --series-5: #e3c34a; --series-6: #8fd3ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 1360px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0 0 4px; }
p { margin: 4px 0 12px; color: var(--soft); } code { font-size: .9em; color: var(--ink); }
.plots { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); }
.wide { overflow-x: auto; } td:first-child { white-space: nowrap; }
section { background: var(--card); border-radius: 8px; padding: 14px 16px; overflow-x: auto; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
.grid { stroke: var(--faint); stroke-width: 1; }
table { border-collapse: collapse; margin: 16px 0 24px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 16px 3px 0; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child, th.word, td.word { text-align: left; } td.part { padding-left: 1.2em; }
)";

}  // namespace

std::string html_begin(const HtmlPage& page) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>" +
      escape_html(page.name) + "</title><style>" + kStyle + "</style></head><body>\n<h1>" +
      escape_html(page.name) + "</h1>\n<p>" + escape_html(page.title) + ". " +
      escape_html(page.what) + ".";
  if (!page.command.empty()) out += "<br><code>" + escape_html(page.command) + "</code>";
  return out + "</p>\n";
}

std::string html_end() { return "</body></html>\n"; }

std::string html_plots_begin() { return "<div class=\"plots\">\n"; }
std::string html_plots_end() { return "</div>\n"; }

std::string html_plot(const std::string& title, const std::string& note, const std::string& svg) {
  return "<section><h2>" + escape_html(title) + "</h2><p>" + escape_html(note) + "</p>" + svg +
         "</section>\n";
}

}  // namespace tributary::demo
