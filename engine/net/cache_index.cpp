#include "engine/net/cache_index.h"

#include <sqlite3.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <utility>

namespace tributary::net {
namespace {

constexpr int kSchemaVersion = 1;
// Nobody else should hold the index, since the directory is locked; a backup tool may for a moment.
constexpr int kBusyTimeoutMs = 2000;
constexpr std::size_t kLeafBytes = Sha256::kSize;

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

// Binds in order of call, and resets the statement when it goes.
class Use {
 public:
  explicit Use(const Statement& statement) : s_(statement.get()) {}
  ~Use() {
    sqlite3_reset(s_);
    sqlite3_clear_bindings(s_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  Use& bind(std::int64_t value) { return sqlite3_bind_int64(s_, ++at_, value), *this; }
  Use& bind(const std::string& text) {
    sqlite3_bind_text(s_, ++at_, text.data(), static_cast<int>(text.size()), nullptr);
    return *this;
  }
  Use& bind(std::span<const std::uint8_t> blob) {
    sqlite3_bind_blob(s_, ++at_, blob.data(), static_cast<int>(blob.size()), nullptr);
    return *this;
  }
  int step() { return sqlite3_step(s_); }
  std::int64_t integer(int column) { return sqlite3_column_int64(s_, column); }
  std::string text(int column) {
    const void* data = sqlite3_column_blob(s_, column);
    return {static_cast<const char*>(data), data ? size(column) : 0};
  }
  std::span<const std::uint8_t> blob(int column) {
    const void* data = sqlite3_column_blob(s_, column);
    return {static_cast<const std::uint8_t*>(data), data ? size(column) : 0};
  }

 private:
  std::size_t size(int column) {
    return static_cast<std::size_t>(sqlite3_column_bytes(s_, column));
  }
  sqlite3_stmt* s_;
  int at_ = 0;
};

void move_aside(const std::string& path) {
  std::error_code ignored;
  std::filesystem::rename(path, path + ".corrupt", ignored);
  if (ignored) std::filesystem::remove_all(path, ignored);
  std::filesystem::remove(path + "-wal", ignored);
  std::filesystem::remove(path + "-shm", ignored);
}

}  // namespace

struct CacheIndex::Chunk {
  std::uint64_t bits = 0;
  std::array<std::uint8_t, kChunkBlocks * kLeafBytes> leaves{};
};

// What a batch has changed and not yet written: a chunk is read and written once, however many of
// its blocks change.
struct CacheIndex::Batch {
  std::string key;  // the content last looked up
  std::int64_t id = -1;
  std::map<std::pair<std::int64_t, std::int32_t>, Chunk> chunks;  // by content and number
};

struct CacheIndex::Statements {
  Statement begin, commit, rollback, list, find, create, touch, remove_content, remove_chunks, load,
      read_chunk, write_chunk, drop_chunk;
};

void CacheIndex::Closer::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

CacheIndex::CacheIndex(Database db)
    : db_(std::move(db)), statements_(std::make_unique<Statements>()) {}
CacheIndex::CacheIndex(CacheIndex&&) noexcept = default;
CacheIndex& CacheIndex::operator=(CacheIndex&&) noexcept = default;
CacheIndex::~CacheIndex() = default;

Error CacheIndex::failure(const char* what) const {
  const int code = sqlite3_errcode(db_.get());
  const bool unsound = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return {unsound ? ErrorCode::kInvalid : ErrorCode::kIo,
          std::string("cache index: cannot ") + what + ": " + sqlite3_errmsg(db_.get())};
}

Result<void> CacheIndex::execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure("set up");
  return {};
}

Result<CacheIndex> CacheIndex::open(const std::string& path, const LogSink& log) {
  auto index = open_sound(path);
  if (index || index.error().code != ErrorCode::kInvalid) return index;
  if (log) {
    log(LogLevel::kWarning, index.error().message +
                                "; the cache starts empty, the old index is kept as " + path +
                                ".corrupt");
  }
  move_aside(path);
  return open_sound(path);
}

Result<CacheIndex> CacheIndex::open_sound(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  CacheIndex index{Database(raw)};
  if (rc != SQLITE_OK) return index.failure("open");
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (auto set = index.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                               "PRAGMA trusted_schema = OFF;");
      !set) {
    return set.error();
  }
  if (auto prepared = index.prepare_all(); !prepared) return prepared.error();
  return index;
}

Result<void> CacheIndex::prepare_all() {
  const auto integer = [this](const char* sql) -> std::int64_t {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql, -1, &raw, nullptr) != SQLITE_OK) return -1;
    const Statement statement(raw);
    return sqlite3_step(raw) == SQLITE_ROW ? sqlite3_column_int64(raw, 0) : -1;
  };
  const std::int64_t version = integer("PRAGMA user_version");
  if (version < 0) return failure("read");
  if (version > kSchemaVersion) {
    return Error{ErrorCode::kUnsupported,
                 "cache index was written by a newer version; choose another --cache"};
  }
  if (integer("SELECT quick_check = 'ok' FROM pragma_quick_check(1)") != 1) {
    return invalid("cache index: damaged");
  }
  if (auto made =
          execute("BEGIN IMMEDIATE;"
                  "CREATE TABLE IF NOT EXISTS content(id INTEGER PRIMARY KEY, key TEXT NOT "
                  "NULL UNIQUE, last_use INTEGER NOT NULL DEFAULT 0);"
                  "CREATE TABLE IF NOT EXISTS chunk(content INTEGER NOT NULL, chunk INTEGER NOT "
                  "NULL, bits INTEGER NOT NULL, leaves BLOB NOT NULL, PRIMARY KEY(content, "
                  "chunk)) WITHOUT ROWID;"
                  "PRAGMA user_version = 1; COMMIT;");
      !made) {
    return made;
  }
  auto& s = *statements_;
  const std::pair<Statement*, const char*> all[] = {
      {&s.begin, "BEGIN IMMEDIATE"},
      {&s.commit, "COMMIT"},
      {&s.rollback, "ROLLBACK"},
      {&s.list, "SELECT key, last_use, id FROM content"},
      {&s.find, "SELECT id FROM content WHERE key = ?"},
      {&s.create, "INSERT INTO content(key) VALUES(?)"},
      {&s.touch, "UPDATE content SET last_use = ? WHERE key = ?"},
      {&s.remove_content, "DELETE FROM content WHERE id = ?"},
      {&s.remove_chunks, "DELETE FROM chunk WHERE content = ?"},
      {&s.load, "SELECT chunk, bits, leaves FROM chunk WHERE content = ?"},
      {&s.read_chunk, "SELECT bits, leaves FROM chunk WHERE content = ? AND chunk = ?"},
      {&s.write_chunk,
       "INSERT OR REPLACE INTO chunk(content, chunk, bits, leaves) VALUES(?, ?, ?, ?)"},
      {&s.drop_chunk, "DELETE FROM chunk WHERE content = ? AND chunk = ?"},
  };
  for (const auto& [statement, sql] : all) {
    sqlite3_stmt* raw = nullptr;
    const int rc = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    statement->reset(raw);
    // Sound, but with tables of another shape.
    if (rc == SQLITE_ERROR) return invalid(failure("prepare").message);
    if (rc != SQLITE_OK) return failure("prepare");
  }
  return {};
}

Result<std::vector<IndexedContent>> CacheIndex::list() {
  std::vector<IndexedContent> out;
  Use rows(statements_->list);
  int rc = SQLITE_ROW;
  while ((rc = rows.step()) == SQLITE_ROW) {
    IndexedContent content{rows.text(0), static_cast<std::uint64_t>(rows.integer(1)), 0};
    Use chunks(statements_->load);
    chunks.bind(rows.integer(2));
    while (chunks.step() == SQLITE_ROW) {
      content.blocks += std::popcount(static_cast<std::uint64_t>(chunks.integer(1)));
    }
    out.push_back(std::move(content));
  }
  if (rc != SQLITE_DONE) return failure("list");
  return out;
}

Result<std::int64_t> CacheIndex::content_id(const std::string& key, bool create) {
  Use find(statements_->find);
  const int rc = find.bind(key).step();
  if (rc == SQLITE_ROW) return find.integer(0);
  if (rc != SQLITE_DONE) return failure("find a content");
  if (!create) return std::int64_t{-1};
  if (Use(statements_->create).bind(key).step() != SQLITE_DONE) return failure("add a content");
  return std::int64_t{sqlite3_last_insert_rowid(db_.get())};
}

Result<IndexedBlocks> CacheIndex::load(const std::string& key, std::int32_t block_count) {
  IndexedBlocks out{Bitfield(block_count), {}};
  TRIBUTARY_TRY(id, content_id(key, false));
  Use rows(statements_->load);
  rows.bind(id);
  int rc = SQLITE_ROW;
  while ((rc = rows.step()) == SQLITE_ROW) {
    const std::int64_t first = rows.integer(0) * kChunkBlocks;
    const auto bits = static_cast<std::uint64_t>(rows.integer(1));
    const auto leaves = rows.blob(2);
    if (first < 0 || first >= block_count || leaves.size() != kChunkBlocks * kLeafBytes) continue;
    if (out.leaves.empty()) out.leaves.resize(static_cast<std::size_t>(block_count));
    for (int i = 0; i < kChunkBlocks && first + i < block_count; ++i) {
      if (!(bits >> i & 1)) continue;
      out.have.set(static_cast<int>(first) + i);
      out.leaves[static_cast<std::size_t>(first + i)] =
          Sha256::from(leaves.subspan(static_cast<std::size_t>(i) * kLeafBytes, kLeafBytes));
    }
  }
  if (rc != SQLITE_DONE) return failure("load a content");
  return out;
}

Result<void> CacheIndex::apply(const std::vector<IndexChange>& batch) {
  if (batch.empty()) return {};
  if (Use(statements_->begin).step() != SQLITE_DONE) return failure("begin");
  auto applied = apply_all(batch);
  if (applied && Use(statements_->commit).step() != SQLITE_DONE) applied = failure("commit");
  if (!applied) Use(statements_->rollback).step();
  return applied;
}

Result<void> CacheIndex::apply_all(const std::vector<IndexChange>& changes) {
  Batch batch;
  for (const IndexChange& change : changes) {
    if (auto applied = apply_one(batch, change); !applied) return applied;
  }
  for (const auto& [place, chunk] : batch.chunks) {
    if (auto wrote = write_chunk(place.first, place.second, chunk); !wrote) return wrote;
  }
  return {};
}

Result<void> CacheIndex::apply_one(Batch& batch, const IndexChange& change) {
  switch (change.kind) {
    case IndexChange::Kind::kMark:
    case IndexChange::Kind::kClear:
      return change_block(batch, change);
    case IndexChange::Kind::kTouch:
      return touch(change);
    case IndexChange::Kind::kRemove:
      return remove(batch, change.key);
  }
  return {};
}

Result<void> CacheIndex::change_block(Batch& batch, const IndexChange& change) {
  const bool mark = change.kind == IndexChange::Kind::kMark;
  if (batch.id < 0 || batch.key != change.key) {
    TRIBUTARY_TRY(id, content_id(change.key, mark));
    if (id < 0) return {};
    batch.key = change.key;
    batch.id = id;
  }
  const std::int32_t number = change.block.value() / kChunkBlocks;
  const int bit = change.block.value() % kChunkBlocks;
  const auto place = std::pair(batch.id, number);
  auto at = batch.chunks.find(place);
  if (at == batch.chunks.end()) {
    TRIBUTARY_TRY(stored, read_chunk(batch.id, number));
    at = batch.chunks.emplace(place, stored).first;
  }
  Chunk& chunk = at->second;
  const std::uint64_t mask = std::uint64_t{1} << bit;
  chunk.bits = mark ? chunk.bits | mask : chunk.bits & ~mask;
  const Sha256 leaf = mark ? change.leaf : Sha256{};
  std::memcpy(chunk.leaves.data() + static_cast<std::size_t>(bit) * kLeafBytes, leaf.bytes.data(),
              kLeafBytes);
  return {};
}

Result<CacheIndex::Chunk> CacheIndex::read_chunk(std::int64_t content, std::int32_t chunk) {
  Chunk out;
  Use row(statements_->read_chunk);
  const int rc = row.bind(content).bind(chunk).step();
  if (rc == SQLITE_DONE) return out;
  if (rc != SQLITE_ROW) return failure("read a chunk");
  const auto leaves = row.blob(1);
  if (leaves.size() != out.leaves.size()) return out;  // damaged: as if absent
  out.bits = static_cast<std::uint64_t>(row.integer(0));
  std::memcpy(out.leaves.data(), leaves.data(), leaves.size());
  return out;
}

Result<void> CacheIndex::write_chunk(std::int64_t content, std::int32_t number,
                                     const Chunk& chunk) {
  if (chunk.bits == 0) {
    if (Use(statements_->drop_chunk).bind(content).bind(number).step() == SQLITE_DONE) return {};
    return failure("drop a chunk");
  }
  Use row(statements_->write_chunk);
  row.bind(content).bind(number).bind(static_cast<std::int64_t>(chunk.bits));
  if (row.bind(std::span<const std::uint8_t>(chunk.leaves)).step() == SQLITE_DONE) return {};
  return failure("write a chunk");
}

Result<void> CacheIndex::touch(const IndexChange& change) {
  Use row(statements_->touch);
  row.bind(static_cast<std::int64_t>(change.last_use)).bind(change.key);
  if (row.step() != SQLITE_DONE) return failure("touch a content");
  return {};
}

Result<void> CacheIndex::remove(Batch& batch, const std::string& key) {
  TRIBUTARY_TRY(id, content_id(key, false));
  batch.id = -1;
  std::erase_if(batch.chunks, [id](const auto& entry) { return entry.first.first == id; });
  if (Use(statements_->remove_chunks).bind(id).step() != SQLITE_DONE ||
      Use(statements_->remove_content).bind(id).step() != SQLITE_DONE) {
    return failure("remove a content");
  }
  return {};
}

}  // namespace tributary::net
