#include "demo/loadtest/sweep.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "demo/human.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

constexpr std::size_t kMostCommands = 10'000;

struct Sweep {
  std::string key;
  std::vector<std::string> values;
};

Result<Sweep> parse_sweep(const std::string& text) {
  const std::size_t equals = text.find('=');
  Sweep sweep{text.substr(0, equals), {}};
  std::string_view rest = text;
  rest.remove_prefix(equals == std::string::npos ? text.size() : equals + 1);
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    sweep.values.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  const bool empty = std::any_of(sweep.values.begin(), sweep.values.end(),
                                 [](const std::string& value) { return value.empty(); });
  if (!sweep.key.empty() && !sweep.values.empty() && !empty) return sweep;
  return invalid("--sweep '" + text + "' is not understood; give one like listeners.count=100,200");
}

Error unreadable(const std::string& path) {
  return {ErrorCode::kNotFound,
          "'" + path + "' is no report; give folders that --report has filled"};
}

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

MergedLine line_of(const std::string& point, const nlohmann::json& policy) {
  MergedLine line;
  line.point = point;
  line.policy = policy.at("policy").get<std::string>();
  line.offload = policy.at("offload_ratio").get<double>();
  line.cdn_bytes = policy.at("cdn").at("bytes").get<double>();
  line.startup_p50_ms = policy.at("startup_ms").at("p50").get<double>();
  line.startup_p99_ms = policy.at("startup_ms").at("p99").get<double>();
  const double plays = policy.at("plays").get<double>();
  line.stalled_plays = plays > 0 ? policy.at("stalled_plays").get<double>() / plays : 0;
  line.rebuffering = policy.at("rebuffering_ratio").get<double>();
  line.cost = policy.at("cost").get<double>();
  return line;
}

}  // namespace

std::string point_folder(std::string settings) {
  std::replace(settings.begin(), settings.end(), '/', '_');
  return settings;
}

std::string shell_quoted(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,%+@";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Result<std::vector<std::string>> sweep_commands(const std::vector<std::string>& command,
                                                const std::vector<std::string>& sweeps,
                                                const std::string& folder) {
  std::string start;
  for (const std::string& word : command) start += shell_quoted(word) + " ";
  struct Point {
    std::string settings;
    std::string name;
  };
  std::vector<Point> points = {{}};
  for (const std::string& text : sweeps) {
    TRIBUTARY_TRY(sweep, parse_sweep(text));
    std::vector<Point> grown;
    for (const Point& point : points) {
      for (const std::string& value : sweep.values) {
        const std::string setting = sweep.key + "=" + value;
        grown.push_back({point.settings + "--set " + shell_quoted(setting) + " ",
                         point.name + (point.name.empty() ? "" : ",") + setting});
      }
    }
    if (grown.size() > kMostCommands) return invalid("--sweep makes more than 10,000 commands");
    points = std::move(grown);
  }
  std::vector<std::string> commands;
  for (const Point& point : points) {
    commands.push_back(start + point.settings + "--report " +
                       shell_quoted(folder + "/" + point_folder(point.name)));
  }
  return commands;
}

Result<std::vector<MergedLine>> merge_reports(const std::vector<std::string>& folders) {
  std::vector<MergedLine> lines;
  for (const std::string& folder : folders) {
    const std::string path = folder + "/report.json";
    std::ifstream file(path);
    const auto json = nlohmann::json::parse(file, nullptr, false);
    if (!file || !json.is_object() || !json.contains("policies")) return unreadable(path);
    try {
      for (const auto& policy : json.at("policies")) lines.push_back(line_of(folder, policy));
    } catch (const nlohmann::json::exception&) {
      return unreadable(path);
    }
  }
  return lines;
}

std::vector<std::string> render_merged(const std::vector<MergedLine>& lines) {
  int widest = 6;
  for (const MergedLine& line : lines) widest = std::max(widest, text_width(line.point) + 1);
  const auto row = [widest](const std::string& point, const std::array<std::string, 7>& cells) {
    std::string out = pad_right(point, widest);
    for (const std::string& cell : cells) out += pad_left(cell, 12);
    return out;
  };
  std::vector<std::string> out = {
      row("", {"policy", "offload", "CDN bytes", "startup p50", "p99", "stalled", "cost"})};
  for (const MergedLine& line : lines) {
    out.push_back(row(
        line.point, {line.policy, format("%.1f %%", line.offload * 100),
                     human_bytes(Bytes(static_cast<std::int64_t>(line.cdn_bytes))),
                     format("%.0f ms", line.startup_p50_ms), format("%.0f ms", line.startup_p99_ms),
                     format("%.2f %%", line.stalled_plays * 100), format("%.4g", line.cost)}));
  }
  return out;
}

std::string render_merged_csv(const std::vector<MergedLine>& lines) {
  std::string out =
      "point,policy,offload_ratio,cdn_bytes,startup_p50_ms,startup_p99_ms,stalled_plays,"
      "rebuffering_ratio,cost\n";
  for (const MergedLine& line : lines) {
    std::string point = line.point;
    for (std::size_t at = 0; (at = point.find('"', at)) != std::string::npos; at += 2) {
      point.insert(at, 1, '"');
    }
    out += "\"" + point + "\"," + line.policy;
    for (double value : {line.offload, line.cdn_bytes, line.startup_p50_ms, line.startup_p99_ms,
                         line.stalled_plays, line.rebuffering, line.cost}) {
      out += "," + format("%.9g", value);
    }
    out += "\n";
  }
  return out;
}

}  // namespace tributary::demo
