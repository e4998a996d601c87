#include "demo/loadtest/scenario_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

// Errors are values here; the packaged library is one that throws.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "demo/arguments.h"
#include "demo/loadtest/trace_file.h"
#include "engine/base/contains.h"
#include "engine/net/bounded_file.h"
#include "engine/wire/text.h"

namespace tributary::demo {
namespace {

constexpr Bytes kMaxFile = 1_MiB;  // tens of thousands of lines

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

// One table of the file. Remembers the first error and which keys were asked for.
class Section {
 public:
  Section(const toml::table* table, std::string name, std::optional<Error>& error)
      : table_(table), name_(std::move(name)), error_(error) {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  // Whatever is left over is a mistake.
  ~Section() {
    if (!table_) return;
    for (const auto& [key, node] : *table_) {
      if (contains(known_, key.str())) continue;
      fail(node, "unknown key '" + wire::printable(key.str()) + "'; known here: " + all_known());
    }
  }

  template <class T>
  void read(std::string_view key, T& value, Result<T> (*parse)(std::string_view)) {
    const toml::node* node = find(key);
    if (node) store(*node, key, value, parse);
  }
  void read(std::string_view key, std::int32_t& value, std::int64_t least, std::int64_t most) {
    const toml::node* node = find(key);
    if (!node) return;
    auto number = node->value_exact<std::int64_t>();
    if (const auto text = node->value_exact<std::string>()) number = parse_whole(*text);
    if (!number || *number < least || *number > most) {
      return fail(*node, std::string(key) + " must be a whole number from " +
                             std::to_string(least) + " to " + std::to_string(most));
    }
    value = static_cast<std::int32_t>(*number);
  }
  void read(std::string_view key, bool& value) {
    const toml::node* node = find(key);
    if (!node) return;
    const auto text = node->value_exact<std::string>();
    if (const auto flag = node->value_exact<bool>()) {
      value = *flag;
    } else if (text == "true" || text == "false") {
      value = text == "true";
    } else {
      fail(*node, std::string(key) + " must be true or false");
    }
  }
  void read(std::string_view key, std::string& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (const auto text = node->value_exact<std::string>()) {
      value = *text;
    } else {
      fail(*node, std::string(key) + " must be a text in quotation marks");
    }
  }
  // One value, or a list of pairs [percentage, value] that ends at 100%.
  void read(std::string_view key, sim::Quantiles& value) {
    const toml::node* node = find(key);
    if (!node) return;
    if (node->is_string()) {
      Duration only{};
      store(*node, key, only, parse_time);
      value.points = {{sim::kWhole, only}};
      return;
    }
    value.points = pairs<Duration>(*node, key, parse_time);
  }
  void read(std::string_view key, sim::Popularity& value) {
    const toml::node* node = find(key);
    if (!node) return;
    value.parts = pairs<std::int64_t>(*node, key, parse_percent);
    if (!error_ && value.parts.back().second != sim::kWhole) {
      fail(*node, std::string(key) + " must end with [\"100%\", \"100%\"]");
    }
  }
  void read(std::string_view key, std::vector<std::string>& values) {
    const toml::node* node = find(key);
    if (!node) return;
    const toml::array* list = node->as_array();
    if (!list || list->empty() || !list->is_homogeneous<std::string>()) {
      return fail(*node, std::string(key) + " must be a list of texts, as [\"0%\", \"10%\"]");
    }
    for (const toml::node& item : *list) values.push_back(*item.value_exact<std::string>());
  }
  // Tables in double brackets.
  std::vector<const toml::table*> list(std::string_view key) {
    std::vector<const toml::table*> tables;
    const toml::node* node = find(key);
    if (!node) return tables;
    const toml::array* array = node->as_array();
    if (!array || !array->is_homogeneous<toml::table>()) {
      fail(*node, std::string(key) + " must be given as [[" + std::string(key) + "]]");
      return tables;
    }
    for (const toml::node& item : *array) tables.push_back(item.as_table());
    return tables;
  }
  const toml::table* table(std::string_view key) {
    const toml::node* node = find(key);
    if (node && !node->is_table()) {
      fail(*node, std::string(key) + " must be given as [" + std::string(key) + "]");
    }
    return node ? node->as_table() : nullptr;
  }
  void fail(std::string_view key, const std::string& why) {
    if (const toml::node* node = table_ ? table_->get(key) : nullptr) fail(*node, why);
  }

 private:
  const toml::node* find(std::string_view key) {
    known_.emplace_back(key);
    return table_ ? table_->get(key) : nullptr;
  }
  void fail(const toml::node& at, const std::string& why) {
    if (error_) return;
    const std::string place = name_.empty() ? "" : "[" + name_ + "] ";
    const auto line = at.source().begin.line;  // 0: it is an override's
    error_ = invalid((line == 0 ? "--set" : "line " + std::to_string(line)) + ": " + place + why);
  }
  template <class T>
  void store(const toml::node& node, std::string_view key, T& value,
             Result<T> (*parse)(std::string_view)) {
    const auto text = node.value_exact<std::string>();
    if (!text) return fail(node, std::string(key) + " must be a text in quotation marks");
    auto parsed = parse(*text);
    if (!parsed) return fail(node, std::string(key) + ": " + parsed.error().message);
    value = *std::move(parsed);
  }
  template <class T>
  std::vector<std::pair<std::int64_t, T>> pairs(const toml::node& node, std::string_view key,
                                                Result<T> (*parse)(std::string_view)) {
    std::vector<std::pair<std::int64_t, T>> all;
    const auto wrong = [&](const toml::node& at) {
      fail(at, std::string(key) +
                   " must be a list of pairs, as [[\"50%\", \"…\"], [\"100%\", \"…\"]], each "
                   "greater than the one before, up to 100%");
      return std::vector<std::pair<std::int64_t, T>>{{sim::kWhole, T{}}};
    };
    const toml::array* list = node.as_array();
    if (!list || list->empty()) return wrong(node);
    for (const toml::node& item : *list) {
      const toml::array* pair = item.as_array();
      if (!pair || pair->size() != 2) return wrong(item);
      std::pair<std::int64_t, T> made;
      store(*pair->get(0), key, made.first, parse_percent);
      store(*pair->get(1), key, made.second, parse);
      if (error_) return {{sim::kWhole, T{}}};
      const bool grows =
          all.empty() || (made.first > all.back().first && made.second >= all.back().second);
      if (!grows) return wrong(item);
      all.push_back(made);
    }
    return all.back().first == sim::kWhole ? all : wrong(node);
  }
  std::string all_known() const {
    std::string text;
    for (const std::string& key : known_) text += (text.empty() ? "" : ", ") + key;
    return text;
  }

  const toml::table* table_;
  std::string name_;
  std::optional<Error>& error_;
  std::vector<std::string> known_;
};

constexpr std::int64_t kMostListeners = 100'000;
constexpr std::int64_t kMostTracks = 1'000'000;

void read_listeners(Section listeners, Scenario& scenario) {
  sim::Workload& w = scenario.workload;
  listeners.read("trace", scenario.trace_file);
  listeners.read("count", w.listeners, 1, kMostListeners);
  listeners.read("time", w.length, parse_time);
  listeners.read("warm_up", scenario.setup.warm_up, parse_time);
  listeners.read("arrivals", w.arrivals, parse_time);
  listeners.read("session", w.session);
  listeners.read("pause", w.pause);
  listeners.read("chosen", w.chosen, parse_percent);
  listeners.read("again", w.again, parse_percent);
  listeners.read("skipped", w.skipped, parse_percent);
  listeners.read("skipped_after", w.skipped_after);
  listeners.read("cache", scenario.setup.cache, parse_size);
  listeners.read("cached", w.cached, 0, 10'000);
  listeners.read("shares", scenario.setup.shares, 0, 10'000);
  listeners.read("overlay", scenario.setup.overlay);
  listeners.read("dht", scenario.setup.dht);
  listeners.read("hole_punching", scenario.setup.hole_punching);
  listeners.read("operators", w.operators, 1, 100);
  listeners.read("near_first", scenario.setup.near_first);
  if (w.length <= scenario.setup.warm_up) listeners.fail("warm_up", "warm_up must be below time");
}

void read_catalogue(Section catalogue, sim::Workload& workload) {
  catalogue.read("tracks", workload.tracks, 1, kMostTracks);
  catalogue.read("rate", workload.rate, parse_rate);
  catalogue.read("length", workload.track_length);
  catalogue.read("popularity", workload.popularity);
}

sim::Conduct read_conduct(Section& link) {
  using sim::Conduct;
  constexpr std::array<std::pair<std::string_view, Conduct>, 4> kConducts = {
      {{"honest", Conduct::kHonest},
       {"free-rider", Conduct::kFreeRider},
       {"polluter", Conduct::kPolluter},
       {"tyrant", Conduct::kTyrant}}};
  std::string name = "honest";
  link.read("conduct", name);
  for (const auto& [known, conduct] : kConducts) {
    if (known == name) return conduct;
  }
  link.fail("conduct", "conduct is \"honest\", \"free-rider\", \"polluter\" or \"tyrant\"");
  return Conduct::kHonest;
}

constexpr std::int64_t kByWeight = -1;

void read_weather(Section& link, sim::LinkWeather& weather) {
  weather.outage.points = {{sim::kWhole, 10s}};
  link.read("swing_every", weather.every);
  link.read("swing_least", weather.least, parse_percent);
  link.read("drop_every", weather.between);
  link.read("drop_for", weather.outage);
}

// `share`: its part of all listeners, or kByWeight.
void read_link(Section& link, sim::LinkClass& made, std::int64_t& share) {
  Duration rtt = made.link.half_rtt * 2;
  std::int64_t loss = 0;
  link.read("name", made.name);
  link.read("weight", made.weight, 1, 1'000'000);
  link.read("share", share, parse_percent);
  link.read("down", made.link.down, parse_rate);
  link.read("up", made.link.up, parse_rate);
  link.read("rtt", rtt, parse_time);
  link.read("loss", loss, parse_percent);
  link.read("reachable", made.reachable);
  link.read("upload", made.upload);
  read_weather(link, made.weather);
  made.conduct = read_conduct(link);
  made.link.half_rtt = rtt / 2;
  made.link.loss_permille = static_cast<std::int32_t>(loss / 1000);
  if (made.link.loss_permille > 500) link.fail("loss", "loss is at most 50%");
}

// Makes weights of the shares: the other classes divide what is left. Returns whether they can.
bool divide(std::vector<sim::LinkClass>& links, const std::vector<std::int64_t>& shares) {
  std::int64_t left = sim::kWhole;
  std::int64_t weights = 0;
  bool any_share = false;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (shares[i] == kByWeight) {
      weights += links[i].weight;
    } else {
      left -= shares[i];
      any_share = true;
    }
  }
  if (!any_share) return true;
  if (left < 0 || (left > 0 && weights == 0)) return false;
  for (std::size_t i = 0; i < links.size(); ++i) {
    const bool by_weight = shares[i] == kByWeight;
    links[i].weight =
        static_cast<std::int32_t>(by_weight ? left * links[i].weight / weights : shares[i]);
  }
  return true;
}

// Who has no name of his own is called by what he does, and by his number where several do.
void name_links(std::vector<sim::LinkClass>& links) {
  constexpr std::array<const char*, 4> kNames = {"honest", "free-rider", "polluter", "tyrant"};
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!links[i].name.empty()) continue;
    const bool alone = std::count_if(links.begin(), links.end(), [&](const sim::LinkClass& other) {
                         return other.conduct == links[i].conduct;
                       }) == 1;
    links[i].name = kNames[static_cast<std::size_t>(links[i].conduct)];
    if (!alone) links[i].name += " " + std::to_string(i);
  }
}

void read_links(Section& top, sim::Workload& workload, std::optional<Error>& error) {
  std::vector<std::int64_t> shares;
  for (const toml::table* table : top.list("links")) {
    Section link(table, "links", error);
    read_link(link, workload.links.emplace_back(), shares.emplace_back(kByWeight));
  }
  if (workload.links.empty()) {
    workload.links.emplace_back().link = {5_Mbps, 10_Mbps, 10ms, 0};
    shares.push_back(kByWeight);
  }
  if (!divide(workload.links, shares)) {
    top.fail("links",
             "the shares of all [[links]] must sum to 100%, or to less beside others with "
             "a weight");
  }
  name_links(workload.links);
}

void read_sweep(Section sweep, ScenarioSweep& made) {
  sweep.read("key", made.key);
  sweep.read("values", made.values);
  sweep.read("title", made.title);
  if (made.title.empty()) made.title = made.key;
  if (made.key.empty() != made.values.empty()) {
    sweep.fail(made.key.empty() ? "values" : "key", "a sweep needs both a key and values");
  }
}

void read_cdn(Section cdn, sim::EdgeParams& edge) {
  Duration rtt = edge.half_rtt * 2;
  cdn.read("rtt", rtt, parse_time);
  cdn.read("egress", edge.egress, parse_rate);
  cdn.read("each", edge.per_connection, parse_rate);
  cdn.read("first_byte", edge.first_byte, parse_time);
  bool slow_start = false;
  cdn.read("slow_start", slow_start);
  if (slow_start) edge.first_window = sim::kFirstWindow;
  edge.half_rtt = rtt / 2;
}

void read_tracker(Section tracker, sim::TrackerParams& params) {
  tracker.read("peers", params.most_peers, 0, 200);
  tracker.read("interval", params.interval, parse_time);
  tracker.read("answer", params.round_trips, parse_time);
}

void read_prices(Section cost, Prices& prices) {
  cost.read("currency", prices.currency);
  cost.read("per_gb", prices.per_gb, parse_price);
  cost.read("per_10000_requests", prices.per_10000_requests, parse_price);
}

void read_fault(Section fault, sim::LoadFault& made) {
  std::string what = "cdn";
  Duration from{};
  Duration length = std::chrono::hours(1000);
  fault.read("what", what);
  fault.read("from", from, parse_time);
  fault.read("for", length, parse_time);
  using Kind = sim::LoadFault::Kind;
  if (what == "tracker") {
    made.kind = Kind::kTrackerDown;
  } else if (what == "partition") {
    made.kind = Kind::kPartition;
  } else if (what != "cdn") {
    fault.fail("what", "what is \"cdn\", \"tracker\" or \"partition\"");
  }
  made.from = TimePoint(from);
  made.until = TimePoint(from + length);
}

Scenario defaults() {
  Scenario made;
  made.workload.track_length.points = {{sim::kWhole, 240s}};
  made.workload.session.points = {{sim::kWhole, std::chrono::hours(1000)}};
  made.workload.pause.points = {{sim::kWhole, std::chrono::hours(1)}};
  made.workload.skipped_after.points = {{sim::kWhole, 60s}};
  made.setup.edge.half_rtt = 15ms;
  return made;
}

Scenario scenario_from(const toml::table& root, std::optional<Error>& error) {
  Scenario made = defaults();
  Section top(&root, "", error);
  top.read("title", made.title);
  read_listeners({top.table("listeners"), "listeners", error}, made);
  read_catalogue({top.table("catalogue"), "catalogue", error}, made.workload);
  read_cdn({top.table("cdn"), "cdn", error}, made.setup.edge);
  read_tracker({top.table("tracker"), "tracker", error}, made.setup.tracker);
  read_prices({top.table("cost"), "cost", error}, made.prices);
  read_links(top, made.workload, error);
  read_sweep({top.table("sweep"), "sweep", error}, made.sweep);
  for (const toml::table* table : top.list("faults")) {
    read_fault({table, "faults", error}, made.setup.faults.emplace_back());
  }
  return made;
}

// The table that the words before the last name, made where it is missing; null where there is
// something else.
toml::table* table_at(toml::table& root, std::string_view path) {
  toml::node* at = &root;
  while (!path.empty() && at) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view word = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (toml::array* array = at->as_array()) {
      const auto index = parse_whole(word);
      const bool inside = index && *index >= 0 && *index < static_cast<std::int64_t>(array->size());
      at = inside ? array->get(static_cast<std::size_t>(*index)) : nullptr;
    } else if (toml::table* table = at->as_table()) {
      at = &table->emplace(word, toml::table{}).first->second;
    } else {
      at = nullptr;
    }
  }
  return at ? at->as_table() : nullptr;
}

Result<void> apply(toml::table& root, const std::string& override_text) {
  const std::size_t equals = override_text.find('=');
  const std::string path = override_text.substr(0, equals);
  const std::size_t dot = path.rfind('.');
  const bool whole = equals != std::string::npos && dot != std::string::npos;
  toml::table* table = whole ? table_at(root, std::string_view(path).substr(0, dot)) : nullptr;
  if (!table) {
    return invalid("--set '" + wire::printable(override_text) +
                   "' names no key; give one like listeners.count=200 or links.0.up=5M");
  }
  table->insert_or_assign(path.substr(dot + 1), override_text.substr(equals + 1));
  return {};
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& source,
                                const Overrides& overrides) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& why = parsed.error();
    return invalid(source + ": line " + std::to_string(why.source().begin.line) + ": " +
                   std::string(why.description()));
  }
  for (const std::string& override_text : overrides) {
    if (auto applied = apply(parsed.table(), override_text); !applied) return applied.error();
  }
  std::optional<Error> error;
  Scenario made = scenario_from(parsed.table(), error);
  if (error) return Error{error->code, source + ": " + error->message};
  return made;
}

Result<Scenario> read_scenario(const std::string& path, const Overrides& overrides) {
  TRIBUTARY_TRY(text, net::read_bounded(path, kMaxFile, "a scenario"));
  auto made = parse_scenario(text, path, overrides);
  if (!made) return made;
  made->name = std::filesystem::path(path).stem().string();
  if (made->trace_file.empty()) return made;
  TRIBUTARY_TRY(trace,
                read_load_trace(std::filesystem::path(path).parent_path() / made->trace_file));
  made->workload.listeners = trace.listeners;
  made->workload.tracks = trace.tracks;
  made->trace = std::move(trace);
  return made;
}

}  // namespace tributary::demo
