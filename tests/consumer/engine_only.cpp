// An embedder who needs the scheduler's arithmetic only. Exits with 0 if it is right.
#include <engine/core/layout.h>

int main() {
  using namespace tributary;
  core::TorrentInfo info;
  info.piece_length = Bytes(65536);
  info.total_size = Bytes(100000);
  info.files.push_back({.path = "track", .offset = Bytes(0), .length = Bytes(100000)});
  const core::Layout layout(info);
  return layout.piece_count() == 2 && layout.block_count() == 7 ? 0 : 1;
}
