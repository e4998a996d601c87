// The index of a cache directory: which blocks of which contents are on disk, in SQLite (WAL).
//
// Schema, user_version 1:
//   content(id, key, last_use)            one row per content; key as in store_content.h
//   chunk(content, chunk, bits, leaves)   64 blocks each: a bit per block whose bytes are on disk,
//   and
//                                         the SHA-256 of each such block (32 bytes each, zeros
//                                         else, and where the content is checked by v1 pieces)
// Durability: WAL with synchronous = NORMAL. A commit survives the death of the process, since what
// it wrote is in the page cache by then. After a power loss the last commits may be missing, or may
// be there without the data they speak of; the digests, checked at the first read, find that out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/digest.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

struct sqlite3;

namespace tributary::net {

// One change. A batch is applied in order within one transaction.
struct IndexChange {
  enum class Kind {
    kMark,    // the block's bytes are in the data file and hash to `leaf`, if that is not zero
    kClear,   // the block is no longer good
    kTouch,   // the content was used; `last_use` says when
    kRemove,  // forget the content
  };
  Kind kind;
  std::string key;
  core::BlockIndex block;      // kMark, kClear
  Sha256 leaf;                 // kMark
  std::uint64_t last_use = 0;  // kTouch
};

struct IndexedContent {
  std::string key;
  std::uint64_t last_use = 0;
  std::int64_t blocks = 0;
};

// What is known of one content.
struct IndexedBlocks {
  Bitfield have;
  std::vector<Sha256> leaves;  // by block; of those in `have`
};

// One thread at a time; every call may block on the disk, so the thread pool it is.
class CacheIndex {
 public:
  // Opens or creates. A file that is not a sound index is moved aside to `path`.corrupt, with a log
  // line, and an empty index takes its place.
  // Errors: kUnsupported when a newer version of the program wrote it; kIo.
  static Result<CacheIndex> open(const std::string& path, const LogSink& log);
  CacheIndex(CacheIndex&&) noexcept;
  CacheIndex& operator=(CacheIndex&&) noexcept;
  ~CacheIndex();

  Result<std::vector<IndexedContent>> list();
  // Rows that do not fit `block_count` are ignored. An unknown key has no blocks.
  Result<IndexedBlocks> load(const std::string& key, std::int32_t block_count);
  // All or nothing.
  Result<void> apply(const std::vector<IndexChange>& batch);

 private:
  static constexpr std::int32_t kChunkBlocks = 64;
  struct Chunk;
  struct Batch;
  struct Statements;
  struct Closer {
    void operator()(sqlite3* db) const;
  };
  using Database = std::unique_ptr<sqlite3, Closer>;

  explicit CacheIndex(Database db);
  static Result<CacheIndex> open_sound(const std::string& path);
  Error failure(const char* what) const;
  Result<void> execute(const char* sql);
  Result<void> prepare_all();
  Result<std::int64_t> content_id(const std::string& key, bool create);
  Result<void> apply_all(const std::vector<IndexChange>& changes);
  Result<void> apply_one(Batch& batch, const IndexChange& change);
  Result<void> change_block(Batch& batch, const IndexChange& change);
  Result<void> touch(const IndexChange& change);
  Result<void> remove(Batch& batch, const std::string& key);
  Result<Chunk> read_chunk(std::int64_t content, std::int32_t chunk);
  Result<void> write_chunk(std::int64_t content, std::int32_t number, const Chunk& chunk);

  Database db_;
  std::unique_ptr<Statements> statements_;  // destroyed before db_
};

}  // namespace tributary::net
