// Usage: fuzz_playlist -max_total_time=20 corpus/ tests/fuzz/corpus/playlist
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "engine/wire/octets.h"
#include "engine/wire/playlist.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary::wire;
  const std::string_view text = as_text({data, size});
  TRIBUTARY_CHECK(join_url(split_url(text)) == text);
  TRIBUTARY_CHECK(percent_decode(percent_encode(text)) == text);
  for (const char* base : {"", "http://h/a/list", "dir/list"}) {
    const auto list = parse_playlist(text, base);
    if (!list) continue;
    TRIBUTARY_CHECK(list->size() <= kMaxPlaylistEntries);
    for (const PlaylistEntry& entry : *list) {
      TRIBUTARY_CHECK(!entry.location.empty() && is_utf8(entry.title));
      TRIBUTARY_CHECK(!entry.duration || entry.duration->count() > 0);
    }
  }
  return 0;
}
