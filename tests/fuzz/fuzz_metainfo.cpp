// Usage: fuzz_metainfo -max_total_time=20 corpus/ tests/fuzz/corpus/metainfo
//
// A mutated torrent rarely adds up, so half of the runs use digests that are zero whatever the
// input: then mutations of piece layers get past the roots of the seeds that are zero as well.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/core/layout.h"
#include "engine/wire/bencode.h"
#include "engine/wire/info_dictionary.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/url.h"
#include "tests/engine/wire/testing.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

constexpr wire::Digester kZero{[](wire::Octets) { return Sha1{}; },
                               [](wire::Octets) { return Sha256{}; }};

void check_path(const std::string& path) {
  const std::string rooted = "/" + path + "/";
  TRIBUTARY_CHECK(rooted.find("/../") == std::string::npos);
  TRIBUTARY_CHECK(rooted.find("/./") == std::string::npos);
  TRIBUTARY_CHECK(rooted.find("//") == std::string::npos);
  TRIBUTARY_CHECK(path.find('\0') == std::string::npos);
}

void check_files(const core::TorrentInfo& info) {
  Bytes end;
  for (const core::FileEntry& file : info.files) {
    TRIBUTARY_CHECK(file.offset >= end && file.length >= 0_B);
    end = file.range().end;
    if (file.pad) continue;
    check_path(file.path);
    TRIBUTARY_CHECK(!wire::web_seed_url("http://h/", info, file).empty());
  }
  // v2 alone ends with its last piece, the rest of which is padding without an entry (BEP 52).
  TRIBUTARY_CHECK(info.total_size - end < (info.has_v1() ? 1_B : info.piece_length));
  TRIBUTARY_CHECK(end <= info.total_size);
}

// Blocks tile the data: every byte of a file is in exactly one block.
void check_layout(const core::TorrentInfo& info) {
  const core::Layout layout(info);
  if (layout.block_count() > 1 << 16) return;
  Bytes data;
  Bytes blocks;
  for (const core::FileEntry& file : info.files) data += file.pad ? 0_B : file.length;
  for (core::BlockIndex b; b.value() < layout.block_count(); ++b) {
    blocks += layout.block_range(b).size();
  }
  TRIBUTARY_CHECK(blocks == data);
}

// What peers tell who follow a magnet link: a torrent's value of "info".
wire::Octets info_of(wire::Octets torrent) {
  const std::size_t key = wire::as_text(torrent).find("4:info");
  const wire::Octets rest = key == std::string_view::npos ? torrent : torrent.subspan(key + 6);
  const auto value = wire::decode_bencode_prefix(rest);
  return value ? value->root().raw() : rest;
}

// With layers of zeros, which add up where digests are zero.
void check_info(wire::Octets info, const wire::Digester& digester) {
  auto meta = wire::parse_info_dictionary(info, digester);
  if (!meta) return;
  check_path(meta->info.name);
  check_files(meta->info);
  check_layout(meta->info);
  std::vector<std::vector<Sha256>> layers;
  for (const core::LayerSpan& layer : wire::missing_layers(meta->info)) {
    TRIBUTARY_CHECK(layer.count > 1 && layer.height > layer.base);
    if (layer.count > 1 << 16) return;
    layers.emplace_back(layer.count);
  }
  const bool added = wire::add_layers(meta->info, layers, digester).ok();
  TRIBUTARY_CHECK(!added || wire::missing_layers(meta->info).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const wire::Digester& digester : {kZero, wire::testing::kDigester}) {
    check_info(info_of({data, size}), digester);
    const auto meta = wire::parse_metainfo({data, size}, digester);
    if (!meta) continue;
    check_path(meta->info.name);
    check_files(meta->info);
    check_layout(meta->info);
    TRIBUTARY_CHECK(meta->hints.size() <= meta->info.files.size());
  }
  return 0;
}
