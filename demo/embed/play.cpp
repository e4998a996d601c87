// Plays what it is given, in C++, and says at the end what the CDN was spared.
// Usage: embed_cpp SOURCE [SINK]     a .torrent, magnet link, playlist or URL; "sdl", "null",
// "wav:FILE" Build: c++ -std=c++20 play.cpp $(pkg-config --cflags --libs tributary)
#include <cstdio>
#include <tributary/tributary.hpp>

namespace tb = tributary::api;

int main(int count, char** arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: embed_cpp SOURCE [SINK]\n"), 2;
  tb::Options options;
  options.audio = count > 2 ? arguments[2] : "sdl";
  options.upload = true;  // ask your listener first
  options.log = [](tributary_log_level, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  auto client = tb::Client::open(options);
  if (!client) return std::fprintf(stderr, "%s\n", client.error().message.c_str()), 1;
  const auto played = client->play({arguments[1]});
  if (!played) return std::fprintf(stderr, "%s\n", played.error().message.c_str()), 1;
  static_cast<void>(client->finish());
  if (const auto report = client->report()) {
    const tb::Entry total = report->total();
    std::printf("%.1f s played, %ld stalls, %.0f %% from peers\n",
                static_cast<double>(total.played_ms) / 1e3, static_cast<long>(total.stalls),
                total.offload_ratio * 100);
  }
}
