// tributary gateway: plays through any player that speaks HTTP.
#include "player/gateway/gateway.h"

#include <array>
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/client_options.h"
#include "demo/command.h"
#include "demo/host_options.h"
#include "demo/human.h"
#include "demo/server_session.h"
#include "demo/text_width.h"
#include "engine/net/digests.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "gateway";
constexpr std::uint16_t kPort = 8090;
constexpr int kWarningWidth = 500;  // columns

struct GatewayArguments {
  std::vector<std::string> sources;
  Endpoint listen = Endpoint::v4(127, 0, 0, 1, kPort);
  std::string token;
  std::vector<std::string> names;
  BitRate reading_rate;
  ClientArguments client;
  bool verbose = false;
};

std::string random_token() {
  std::array<std::uint8_t, 16> bytes{};
  net::secure_random(bytes);
  return Digest<struct TokenTag, 16>::from(bytes).hex();
}

void print_warning(LogLevel level, std::string_view text) {
  if (level < LogLevel::kWarning) return;
  std::fprintf(stderr, "tributary %s: %s\n", kName, fit_text(text, kWarningWidth).c_str());
}

std::string describe(const player::GatewayCounters& counters) {
  std::int64_t requests = 0;
  for (const auto& [status, count] : counters.requests) requests += count;
  std::string line = human_count(requests, "request") + ", " + human_bytes(counters.sent) +
                     " sent, " + human_count(counters.streams, "stream") + " open";
  for (const auto& [status, count] : counters.requests) {
    line += ", " + std::to_string(count) + " × " + std::to_string(status);
  }
  return line;
}

player::GatewayOptions gateway_options(const GatewayArguments& arguments,
                                       std::shared_ptr<const player::DecisionLog> decisions) {
  player::GatewayOptions options;
  options.decisions = std::move(decisions);
  options.listen = arguments.listen;
  options.access.token = arguments.token;
  options.access.hosts = arguments.names;
  options.reading_rate = arguments.reading_rate;
  options.metered = arguments.client.metered;
  if (options.access.token.empty() && !options.listen.is_loopback()) {
    options.access.token = random_token();
  }
  return options;
}

int serve(const GatewayArguments& arguments) {
  auto checked = check_sources(arguments.sources);
  if (!checked) return fail(kName, checked.error());
  ServerSession session(arguments.verbose);
  player::ClientOptions options;
  options.host.log = print_warning;
  const auto decisions = std::make_shared<player::DecisionLog>();
  options.host.trace = true;
  options.decision = [decisions](const core::Decision& decision) { decisions->add(decision); };
  auto applied = apply(arguments.client, options);
  if (!applied) return fail(kName, applied.error());
  auto client = player::Client::create(std::move(options));
  if (!client) return fail(kName, client.error());
  auto items = (*client)->load(arguments.sources);
  if (!items) return fail(kName, items.error());
  auto gateway = player::Gateway::serve(session.loop(), **client, *items,
                                        gateway_options(arguments, decisions));
  if (!gateway) return fail(kName, gateway.error());
  std::printf("play %s\n", (*gateway)->playlist_url().c_str());
  ServerSession::announce_ready((*gateway)->address());
  session.run([&] { return describe((*gateway)->counters()); });
  std::printf("stopped after %s\n", describe((*gateway)->counters()).c_str());
  (*gateway).reset();
  (*client)->finish();
  return kExitDone;
}

constexpr const char* kExample =
    "Any player then plays the files of the torrents by HTTP, seeking included, while they are\n"
    "fetched from CDN and peers:\n"
    "  /playlist.m3u8     all tracks\n"
    "  /t/INFO-HASH/      the tracks of one torrent\n"
    "  /t/INFO-HASH/PATH  one file of it; of an HLS stream its .m3u8\n"
    "Only this machine is served, unless --listen names another address; then each request must\n"
    "show the token. Prints \"listening on HOST:PORT\" when ready; Ctrl-C ends it.\n\n"
    "Examples:\n"
    "  tributary gateway album.torrent\n"
    "  mpv http://127.0.0.1:8090/playlist.m3u8\n"
    "  tributary gateway album.torrent --listen 192.168.1.7:8090 --name music.home";

}  // namespace

void add_gateway(CommandLine& line) {
  auto arguments = std::make_shared<GatewayArguments>();
  Subcommand sub = line.add(kName, "Serve what is fetched to any player, over HTTP", kExample,
                            [arguments] { return serve(*arguments); });
  sub.require("sources", "SOURCE", arguments->sources, "What to serve, as in play");
  sub.add("--listen", "HOST:PORT", arguments->listen, parse_listen,
          "Where players reach the gateway (127.0.0.1:8090)");
  sub.add("--token", "TEXT", arguments->token,
          "What requests must show (none; a random one where --listen is not this machine)");
  sub.add("--name", "HOST", arguments->names,
          "A name that the gateway is called by, beside its address; may be repeated");
  sub.add("--reading-rate", "RATE", arguments->reading_rate, parse_rate,
          "Fetch for readers as if each took at least so much (as the media plays)");
  add_policy_options(sub, arguments->client);
  add_limit_options(sub, arguments->client);
  add_network_options(sub, arguments->client.network, "--peer-listen");
  sub.add("-v,--verbose", arguments->verbose, "Print counters where there is no terminal");
}

}  // namespace tributary::demo
