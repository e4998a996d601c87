// tributary dht: looks an info-hash up in the DHT and shows the way there, or runs a node of it.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/network_options.h"
#include "demo/server_session.h"
#include "demo/text_width.h"
#include "engine/net/address.h"
#include "engine/net/dht_file.h"
#include "engine/net/dht_socket.h"
#include "engine/net/source_address.h"
#include "engine/net/timer.h"
#include "engine/wire/text.h"

namespace tributary::demo {
namespace {

namespace dht = core::dht;
using Json = nlohmann::ordered_json;

constexpr const char* kName = "dht";
constexpr Duration kDefaultTimeout = 30s;
constexpr std::uint16_t kPort = 6881;

struct LookupArguments {
  std::string hash;
  std::vector<std::string> hosts;
  std::optional<Endpoint> listen;
  Duration timeout = kDefaultTimeout;
  std::string table;
  std::uint16_t announce = 0;
  std::int32_t answers = 100;
  bool json = false;
  bool verbose = false;
  std::string source;  // an interface; empty: any
};

// Of a v2 hash the first 20 bytes are what the DHT knows (BEP 52).
Result<dht::NodeId> parse_hash(const std::string& text) {
  const Error error = invalid("'" + fit_text(text, 100) +
                              "' is no info-hash; give 40 hexadecimal digits, or the 64 of a v2 "
                              "torrent (tributary inspect prints them)");
  auto bytes = wire::decode_hex(text, Sha1::kSize);
  if (!bytes) bytes = wire::decode_hex(text, Sha256::kSize);
  if (!bytes) return error;
  dht::NodeId id;
  std::copy_n(bytes->begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port != 0) return port;
  return invalid("'" + fit_text(std::string(text), 100) + "' is no port; give one of 1 to 65535");
}

Json to_json(const dht::LookupStep& step) {
  Json json = {{"node", net::format_endpoint(step.node.endpoint)}};
  json["id"] = step.answered ? Json(step.node.id.hex()) : Json();
  json["hop"] = step.hop;
  json["shared_bits"] = step.answered ? Json(step.shared_bits) : Json();
  json["answered"] = step.answered;
  json["took_ms"] = static_cast<double>(step.took.count()) / 1000;
  json["nodes"] = step.nodes;
  json["peers"] = step.peers;
  return json;
}

void print_head() { std::printf("hop  shared bits    time  nodes  peers  node\n"); }

void print(const dht::LookupStep& step) {
  const std::string node = net::format_endpoint(step.node.endpoint);
  if (step.answered) {
    std::printf("%3d  %11d  %6s  %5zu  %5zu  %s\n", step.hop, step.shared_bits,
                human_delay(step.took).c_str(), step.nodes, step.peers, node.c_str());
  } else {
    std::printf("%3d  %11s  %6s  %5s  %5s  %s  no answer\n", step.hop, "-",
                human_delay(step.took).c_str(), "-", "-", node.c_str());
  }
  std::fflush(stdout);
}

// What a search and a node that stays have in common: their hosts, their table, their socket. Loop
// thread only.
class DhtMember {
 public:
  DhtMember(ServerSession& session, const LookupArguments& arguments)
      : session_(session), arguments_(arguments) {}

  // The saved table, if there is one.
  Result<void> load() {
    if (arguments_.table.empty()) return {};
    auto saved = net::load_dht_state(arguments_.table);
    if (!saved && saved.error().code != ErrorCode::kNotFound) return saved.error();
    if (saved) saved_ = *std::move(saved);
    return {};
  }
  Result<void> save() const {
    if (arguments_.table.empty()) return {};
    return net::save_dht_state(arguments_.table, socket_->save());
  }
  bool has_table() const { return saved_.has_value(); }

  // The addresses of --bootstrap.
  Result<void> resolve() {
    // Shared, for the resolver may answer after we have given up.
    struct Answers {
      std::size_t count = 0;
      std::vector<Endpoint> found;
      Error error =
          io_error("the addresses of --bootstrap could not be looked up within --timeout");
    };
    const auto answers = std::make_shared<Answers>();
    for (const std::string& text : arguments_.hosts) {
      TRIBUTARY_TRY(target, net::parse_host_port(text));
      net::resolve(session_.loop(), target, [answers](Result<std::vector<Endpoint>> result) {
        ++answers->count;
        if (!result) answers->error = io_error(result.error().message);
        if (!result) return;
        answers->found.insert(answers->found.end(), result->begin(), result->end());
      });
    }
    wait([&] { return answers->count == arguments_.hosts.size(); });
    hosts_ = answers->found;
    if (hosts_.empty() && !arguments_.hosts.empty()) return answers->error;
    return {};
  }
  const std::vector<Endpoint>& hosts() const { return hosts_; }

  Result<void> open(const Endpoint& at, dht::NodeParams params, net::DhtSocket::Events events) {
    if (saved_) params.id = saved_->id;
    auto socket = net::DhtSocket::listen(session_.loop(), at, params, std::move(events));
    if (!socket) return socket.error();
    socket_ = std::move(*socket);
    if (saved_) socket_->restore(*saved_);
    socket_->bootstrap(hosts_);
    return {};
  }
  net::DhtSocket& socket() { return *socket_; }

  // Until it holds, the time is over, or the user stops it.
  void wait(const std::function<bool()>& done) {
    net::Timer timer(session_.loop());
    bool late = false;
    timer.start(session_.loop().now() + arguments_.timeout, [&] { late = true; });
    session_.run_until([&] { return done() || late; });
  }

 private:
  ServerSession& session_;
  const LookupArguments& arguments_;
  std::optional<wire::DhtState> saved_;
  std::vector<Endpoint> hosts_;
  std::unique_ptr<net::DhtSocket> socket_;
};

// One search, from the hosts' names to the last line. Loop thread only.
class DhtSearch {
 public:
  DhtSearch(ServerSession& session, const LookupArguments& arguments, const dht::NodeId& hash)
      : session_(session), arguments_(arguments), hash_(hash), member_(session, arguments) {}

  int run() {
    const auto loaded = member_.load();
    if (!loaded) return fail(kName, loaded.error());
    if (arguments_.hosts.empty() && !member_.has_table()) return fail(kName, nobody());
    const auto resolved = member_.resolve();
    if (!resolved) return fail(kName, resolved.error());
    dht::NodeParams params;
    // Gone in a moment: nobody should keep it in a table (BEP 43).
    params.read_only = true;
    params.upkeep = false;
    const auto opened = member_.open(listen_address(), params,
                                     [this](const dht::Action& event) { on_event(event); });
    if (!opened) return fail(kName, opened.error());
    search();
    return report();
  }

 private:
  static Error nobody() {
    return invalid(
        "no node to begin with; give --bootstrap HOST:PORT, such as the UDP port of a client that "
        "takes part, or --table FILE of an earlier run");
  }

  // Where it is not told, the family is that of the first host, and loopback stays on loopback.
  Endpoint listen_address() const {
    if (arguments_.listen) return *arguments_.listen;
    Endpoint any = Endpoint::v4(0, 0, 0, 0, 0);
    if (member_.hosts().empty()) return any;
    const Endpoint& host = member_.hosts().front();
    if (host.is_loopback()) {
      any = host;
    } else if (!host.is_v4()) {
      any = Endpoint();
    }
    any.port = 0;
    return any;
  }

  void search() {
    if (!arguments_.json) print_head();
    const TimePoint start = session_.loop().now();
    static_cast<void>(arguments_.announce > 0
                          ? member_.socket().announce(hash_, arguments_.announce)
                          : member_.socket().find_peers(hash_));
    member_.wait([&] { return done_.has_value(); });
    took_ = session_.loop().now() - start;
  }

  void on_event(const dht::Action& event) {
    if (const auto* step = std::get_if<dht::LookupStep>(&event)) {
      hops_ = std::max(hops_, step->answered ? step->hop : 0);
      answered_ += step->answered ? 1 : 0;
      steps_.push_back(to_json(*step));
      if (!arguments_.json) print(*step);
    } else if (const auto* found = std::get_if<dht::PeersFound>(&event)) {
      peers_.insert(peers_.end(), found->peers.begin(), found->peers.end());
    } else if (const auto* done = std::get_if<dht::LookupDone>(&event)) {
      done_ = *done;
    }
  }

  int report() {
    const auto saved = member_.save();
    if (!saved) return fail(kName, saved.error());
    std::sort(peers_.begin(), peers_.end());
    if (arguments_.json) {
      print_json();
    } else {
      print_summary();
    }
    if (announced() > 0 || !peers_.empty()) return kExitDone;
    return fail(kName, io_error(what_failed()));
  }

  std::size_t announced() const { return done_ ? done_->announced : 0; }

  std::string what_failed() const {
    if (answered_ == 0) {
      return "no node answered; check the addresses of --bootstrap, and that UDP is not blocked";
    }
    if (!done_) return "nothing found within --timeout; give it more time";
    return "nobody has announced " + hash_.hex();
  }

  void print_json() const {
    Json json = {{"info_hash", hash_.hex()}};
    json["peers"] = Json::array();
    for (const Endpoint& peer : peers_) json["peers"].push_back(net::format_endpoint(peer));
    json["steps"] = steps_;
    json["answered"] = answered_;
    json["hops"] = hops_;
    json["announced_to"] = announced();
    json["complete"] = done_.has_value();
    json["took_ms"] = static_cast<double>(took_.count()) / 1000;
    std::printf("%s\n", json.dump(2).c_str());
  }

  void print_summary() const {
    for (const Endpoint& peer : peers_) {
      std::printf("peer %s\n", net::format_endpoint(peer).c_str());
    }
    if (announced() > 0) {
      std::printf("announced to %s\n",
                  human_count(static_cast<std::int64_t>(announced()), "node").c_str());
    }
    std::printf("%s; %zu of %s answered, %s, %s\n", human_count(std::ssize(peers_), "peer").c_str(),
                answered_, human_count(static_cast<std::int64_t>(steps_.size()), "node").c_str(),
                human_count(hops_, "hop").c_str(), human_delay(took_).c_str());
    std::fflush(stdout);
  }

  ServerSession& session_;
  const LookupArguments& arguments_;
  dht::NodeId hash_;
  DhtMember member_;
  Duration took_{};
  Json steps_ = Json::array();
  std::vector<Endpoint> peers_;
  std::optional<dht::LookupDone> done_;
  std::size_t answered_ = 0;
  int hops_ = 0;
};

int look_up(ServerSession& session, const LookupArguments& arguments) {
  const auto hash = parse_hash(arguments.hash);
  if (!hash) return fail(kName, hash.error());
  return DhtSearch(session, arguments, *hash).run();
}

std::string describe(const dht::Node& node) {
  return human_count(static_cast<std::int64_t>(node.table().size()), "node") + " known, " +
         human_count(static_cast<std::int64_t>(node.peer_store().peer_count()), "peer") + ", " +
         human_count(node.stats().answers, "answer");
}

// Without a hash: a node that takes part until it is stopped.
int serve(ServerSession& session, const LookupArguments& arguments) {
  DhtMember member(session, arguments);
  const auto loaded = member.load();
  if (!loaded) return fail(kName, loaded.error());
  const auto resolved = member.resolve();
  if (!resolved) return fail(kName, resolved.error());
  const Endpoint at = arguments.listen.value_or(Endpoint::v4(127, 0, 0, 1, kPort));
  dht::NodeParams params;
  params.answers.total = Duration(1s) / arguments.answers;
  params.answers.total_burst = 2 * arguments.answers;
  const auto opened = member.open(at, params, {});
  if (!opened) return fail(kName, opened.error());
  ServerSession::announce_ready(member.socket().address());
  const dht::Node& node = member.socket().node();
  session.run([&] { return describe(node); });
  const auto saved = member.save();
  if (!saved) return fail(kName, saved.error());
  std::printf("stopped: %s\n", describe(node).c_str());
  return kExitDone;
}

int run_dht(const LookupArguments& arguments) {
  ServerSession session(arguments.verbose);
  std::optional<net::SourceAddress> source;
  if (!arguments.source.empty()) {
    auto found = net::find_source(arguments.source);
    if (!found) return fail(kName, found.error());
    source = *std::move(found);
    net::talk_from(session.loop(), &*source);
  }
  return arguments.hash.empty() ? serve(session, arguments) : look_up(session, arguments);
}

constexpr const char* kExample =
    "Prints each node that was asked, the leading bits that its id shares with the hash, and what "
    "it\n"
    "gave; then the peers. Nobody is contacted but --bootstrap and those whom the answers name. "
    "Exits\n"
    "with 1 when nobody is found. Without HASH a node runs until Ctrl-C; it prints \"listening on\n"
    "HOST:PORT\" when ready.\n\n"
    "Examples:\n"
    "  tributary dht\n"
    "  tributary dht 0123456789abcdef0123456789abcdef01234567 --bootstrap 127.0.0.1:6881\n"
    "  tributary dht 0123456789abcdef0123456789abcdef01234567 --table dht.state --timeout 1m";

}  // namespace

void add_dht(CommandLine& line) {
  auto arguments = std::make_shared<LookupArguments>();
  Subcommand sub = line.add(kName, "Look an info-hash up in the DHT, or run a node (BEP 5)",
                            kExample, [arguments] { return run_dht(*arguments); });
  sub.add("hash", "HASH", arguments->hash, "The info-hash; without one, run a node");
  sub.add("--bootstrap", "HOST:PORT", arguments->hosts, "A node to begin with; may be repeated");
  sub.add("--listen", "HOST:PORT", arguments->listen, parse_told_listen,
          "The UDP address (a node: 127.0.0.1:6881; a search: any port)");
  add_interface_option(sub, arguments->source);
  sub.add("--answers", "N", arguments->answers, parse_count,
          "A node: answer at most so many queries a second, of all who ask (100)");
  sub.add("--timeout", "T", arguments->timeout, parse_time, "When to give up (30s)");
  sub.add("--table", "FILE", arguments->table,
          "Keep the nodes that answered in this file, and begin with those in it");
  sub.add("--announce", "PORT", arguments->announce, parse_port,
          "Announce a peer here at this port as well");
  sub.add("--json", arguments->json, "Print one JSON object at the end");
  sub.add("-v,--verbose", arguments->verbose, "A node: print counters where there is no terminal");
}

}  // namespace tributary::demo
