#include "demo/loadtest/trace_file.h"

#include <array>
#include <map>
#include <optional>
#include <set>

#include "demo/arguments.h"
#include "engine/net/bounded_file.h"
#include "engine/wire/text.h"

namespace tributary::demo {
namespace {

using Action = sim::LoadEvent::Action;
using Fields = std::array<std::string_view, 4>;

constexpr std::string_view kHeading = "time_s,listener,track,action";
constexpr std::size_t kMostEvents = 10'000'000;
// Of so many, with long names.
constexpr Bytes kMaxFile = 1024_MiB;

// Nothing where there are more or fewer.
std::optional<Fields> split(std::string_view line) {
  Fields fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t comma = line.find(',');
    const bool last = i + 1 == fields.size();
    if ((comma == std::string_view::npos) != last) return std::nullopt;
    fields[i] = wire::trim(line.substr(0, comma));
    if (!last) line.remove_prefix(comma + 1);
  }
  return fields;
}

std::optional<Action> action_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Action>, 5> kActions = {
      {{"join", Action::kJoin},
       {"play", Action::kPlay},
       {"next", Action::kNext},
       {"skip", Action::kSkip},
       {"leave", Action::kLeave}}};
  for (const auto& [known, action] : kActions) {
    if (known == name) return action;
  }
  return std::nullopt;
}

// Numbers names in the order in which they come.
class Names {
 public:
  std::int32_t number(std::string_view name) {
    const auto next = static_cast<std::int32_t>(numbers_.size());
    return numbers_.emplace(std::string(name), next).first->second;
  }
  std::int32_t count() const { return static_cast<std::int32_t>(numbers_.size()); }

 private:
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

class Reader {
 public:
  // The error says what is wrong with the line.
  Result<void> take(std::string_view line) {
    const auto fields = split(line);
    if (!fields) return invalid("not of the form " + std::string(kHeading));
    const auto& [time, listener, track, name] = *fields;
    const auto at = parse_time(time);
    if (!at) return at.error();
    if (!trace_.events.empty() && TimePoint(*at) < trace_.events.back().at) {
      return invalid("it is before the line above; sort the file by time");
    }
    const auto action = action_of(name);
    if (!action) {
      return invalid("action '" + wire::printable(name) +
                     "' is unknown; give join, play, next, skip or leave");
    }
    const bool names_track = *action == Action::kPlay || *action == Action::kNext;
    if (listener.empty() || names_track == track.empty()) {
      return invalid(listener.empty() ? "it names no listener"
                                      : "only play and next name a track, and they must");
    }
    if (trace_.events.size() >= kMostEvents) return invalid("more than 10,000,000 lines");
    note({TimePoint(*at), listeners_.number(listener), *action,
          names_track ? tracks_.number(track) : -1});
    return {};
  }
  sim::LoadTrace finish() {
    trace_.listeners = listeners_.count();
    trace_.tracks = tracks_.count();
    return std::move(trace_);
  }

 private:
  void note(const sim::LoadEvent& event) {
    const bool plays = event.action == Action::kPlay || event.action == Action::kNext;
    if (plays && online_.insert(event.listener).second) {
      trace_.events.push_back({event.at, event.listener, Action::kJoin, -1});
    } else if (event.action == Action::kJoin) {
      online_.insert(event.listener);
    } else if (event.action == Action::kLeave) {
      online_.erase(event.listener);
    }
    trace_.events.push_back(event);
  }

  sim::LoadTrace trace_;
  Names listeners_;
  Names tracks_;
  std::set<std::int32_t> online_;
};

}  // namespace

Result<sim::LoadTrace> parse_load_trace(std::string_view text, const std::string& source) {
  Reader reader;
  int number = 0;
  for (const std::string_view whole : wire::split_lines(text)) {
    ++number;
    const std::string_view line = wire::trim(whole);
    if (line.empty() || line.front() == '#' || (number == 1 && line == kHeading)) continue;
    if (const auto taken = reader.take(line); !taken) {
      return invalid(source + ": line " + std::to_string(number) + ": " + taken.error().message);
    }
  }
  sim::LoadTrace trace = reader.finish();
  if (trace.tracks == 0) return invalid(source + ": nothing is played in it");
  return trace;
}

Result<sim::LoadTrace> read_load_trace(const std::string& path) {
  TRIBUTARY_TRY(text, net::read_bounded(path, kMaxFile, "a recorded workload"));
  return parse_load_trace(text, path);
}

}  // namespace tributary::demo
