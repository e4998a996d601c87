// .torrent files exchanged with libtorrent (its Python binding) and mktorrent, as child processes.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/wire/metainfo.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

namespace fs = std::filesystem;
using testing::kDigester;

struct TempFolder {
  TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "tributary-wire-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TempFolder() { fs::remove_all(path); }
  fs::path path;
};

void write_file(const fs::path& path, Octets data) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << as_text(data);
}
OctetBuffer read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The output of a shell command, stderr included; `status` is what pclose says.
std::string run(const std::string& command, int& status) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  status = pclose(pipe);
  return out;
}

bool have(const std::string& probe, const char* what) {
  int status = 0;
  const std::string out = run(probe, status);
  if (status != 0) MESSAGE("not checked against " << what << ", which does not run here: " << out);
  return status == 0;
}
bool have_libtorrent() { return have("/usr/bin/python3 -c 'import libtorrent'", "libtorrent"); }

// Runs a Python program with arguments; its output when it succeeds.
std::string python(const fs::path& folder, const std::string& program,
                   const std::string& arguments) {
  write_file(folder / "program.py", as_octets(program));
  int status = 0;
  const std::string out =
      run("/usr/bin/python3 " + (folder / "program.py").string() + " " + arguments, status);
  CAPTURE(out);
  REQUIRE(status == 0);
  return out;
}

constexpr const char* kDescribe = R"(
import sys, warnings
warnings.simplefilter('ignore')
import libtorrent as lt
ti = lt.torrent_info(sys.argv[1])
h = ti.info_hashes()
print(h.v1 if h.has_v1() else '-', h.v2 if h.has_v2() else '-', ti.num_pieces(), ti.piece_length())
fs = ti.files()
for i in range(fs.num_files()):
    if not fs.file_flags(i) & 1:
        print(fs.file_offset(i), fs.file_size(i), fs.file_path(i).replace('\\', '/'))
)";

// The same description, from our reading.
std::string describe(const core::TorrentInfo& info) {
  const auto pieces = (info.total_size + info.piece_length - 1_B) / info.piece_length;
  std::string out = (info.has_v1() ? info.v1_hash->hex() : "-") + " " +
                    (info.has_v2() ? info.v2_hash->hex() : "-") + " " + std::to_string(pieces) +
                    " " + std::to_string(info.piece_length.count()) + "\n";
  for (const core::FileEntry& file : info.files) {
    if (file.pad) continue;
    out += std::to_string(file.offset.count()) + " " + std::to_string(file.length.count()) + " " +
           (info.multi_file ? info.name + "/" : "") + file.path + "\n";
  }
  return out;
}

TEST_CASE("libtorrent reads what we build and agrees on hashes, pieces and files") {
  if (!have_libtorrent()) return;
  const TempFolder folder;
  const std::vector<Publication> publications = {
      testing::publish(1, 16_KiB, {{"one.ogg", 100'000}}),
      testing::publish(2, 64_KiB, {{"small.ogg", 100}}),
      testing::publish(3, 32_KiB, {{"a/1.ogg", 70'000}, {"a/2.ogg", 1}, {"b.jpg", 65'536}}),
  };
  for (const Publication& p : publications) {
    const auto torrent = build_metainfo(p, kDigester);
    REQUIRE(torrent.ok());
    write_file(folder.path / "t.torrent", *torrent);
    CHECK(python(folder.path, kDescribe, (folder.path / "t.torrent").string()) ==
          describe(parse_metainfo(*torrent, kDigester)->info));
  }
}

constexpr const char* kCreate = R"(
import sys, warnings
warnings.simplefilter('ignore')
import libtorrent as lt
kind, source, out = sys.argv[1:4]
flags = {'v1': lt.create_torrent.v1_only, 'v2': lt.create_torrent.v2_only, 'hybrid': 0}[kind]
fs = lt.file_storage()
lt.add_files(fs, source)
ct = lt.create_torrent(fs, 32768, flags)
ct.add_tracker('http://t/announce')
ct.add_url_seed('http://h/seed/')
lt.set_piece_hashes(ct, source.rsplit('/', 1)[0])
open(out, 'wb').write(lt.bencode(ct.generate()))
)";

TEST_CASE("v1, v2 and hybrid torrents that libtorrent made are read as libtorrent reads them") {
  if (!have_libtorrent()) return;
  const TempFolder folder;
  Random random(5);
  for (auto [name, size] : {std::pair("album/b/2.ogg", 100'001U),
                            {"album/a.ogg", 32'768U},
                            {"album/c.txt", 7U},
                            {"album/d.ogg", 200'000U},
                            {"one.ogg", 90'000U}}) {
    write_file(folder.path / name, testing::random_bytes(random, size));
  }
  const std::string out = (folder.path / "t.torrent").string();
  for (const char* kind : {"v1", "v2", "hybrid"}) {
    for (const char* source : {"album", "one.ogg"}) {
      CAPTURE(kind);
      CAPTURE(source);
      python(folder.path, kCreate,
             std::string(kind) + " " + (folder.path / source).string() + " " + out);
      const auto meta = parse_metainfo(read_file(out), kDigester);
      CAPTURE(meta.ok() ? "" : meta.error().message);
      REQUIRE(meta.ok());
      CHECK(meta->edges == std::vector<std::string>{"http://h/seed/"});
      CHECK(meta->trackers.size() == 1);
      CHECK(python(folder.path, kDescribe, out) == describe(meta->info));
    }
  }
}

TEST_CASE("torrents that mktorrent made are read with their true piece hashes") {
  if (!have("command -v mktorrent", "mktorrent")) return;
  const TempFolder folder;
  Random random(6);
  const OctetBuffer data = testing::random_bytes(random, 100'000);
  write_file(folder.path / "one.ogg", data);
  int status = 0;
  run("cd " + folder.path.string() +
          " && mktorrent -l 15 -a http://t/announce -w http://h/one.ogg" + " -o t.torrent one.ogg",
      status);
  REQUIRE(status == 0);
  const auto meta = parse_metainfo(read_file(folder.path / "t.torrent"), kDigester);
  REQUIRE(meta.ok());
  CHECK(meta->info.piece_length == 32_KiB);
  CHECK(meta->edges == std::vector<std::string>{"http://h/one.ogg"});
  REQUIRE(meta->info.piece_hashes.size() == 4);
  CHECK(meta->info.piece_hashes[3] == testing::sha1(Octets(data).subspan(3 * 32768)));
}

}  // namespace
}  // namespace tributary::wire
