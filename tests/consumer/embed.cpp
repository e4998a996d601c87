// A program in C++ on the installed wrapper. Exits with 0 if a source that is not there is an error
// that names it.
#include <tributary/tributary.hpp>

int main() {
  auto client = tributary::api::Client::open({});
  if (!client) return 1;
  const auto played = client->play({"not-there.torrent"});
  return !played && played.error().code == TRIBUTARY_E_NOT_FOUND &&
                 played.error().message.find("not-there.torrent") != std::string::npos
             ? 0
             : 1;
}
