// Reading: from memory at once, from disk through the read lane, re-hashing what an earlier run
// left.
#include <algorithm>
#include <array>

#include "engine/net/digests.h"
#include "engine/net/store_impl.h"

namespace tributary::net {
namespace {

using core::BlockIndex;
using core::BlockRange;
using core::PieceIndex;
using core::TorrentId;

// Reads that wait for the disk; beyond, somebody asks faster than any disk answers.
constexpr std::size_t kMaxWaitingReads = 4096;

enum class Check { kNone, kLeaf, kPiece };
enum class Outcome { kOpen, kGood, kWrong, kFailed };

std::size_t count_of(Bytes size) { return static_cast<std::size_t>(size.count()); }

Error not_stored() { return {ErrorCode::kNotFound, "the bytes are not stored"}; }

}  // namespace

// What one block contributes to a read.
struct Store::Impl::ReadPart {
  TorrentId torrent;
  BlockIndex torrent_block;
  std::shared_ptr<const UserFiles> source;  // from there, else from `content`
  ContentPtr content;
  std::int32_t block = 0;
  std::shared_ptr<const DiskFile> file;
  Check check = Check::kNone;
  Sha256 leaf;
  BlockBytes bytes;  // the whole block, once there
  Bytes block_size;
  Bytes skip;  // of the block
  Bytes at;    // in the answer
  Bytes size;
  Outcome outcome = Outcome::kOpen;
};

struct Store::Impl::ReadJob {
  std::vector<ReadPart> parts;  // ascending
  Bytes size;
  ReadDone done;
};

// ---------------------------------------------------------------------------------------------
// Loop thread

bool Store::Impl::is_readable(const OpenTorrent& torrent, ByteRange range) const {
  return 0_B <= range.begin && range.begin < range.end && range.end <= torrent.layout->total_size();
}

std::optional<Store::Impl::ReadPart> Store::Impl::part_of(TorrentId torrent,
                                                          const OpenTorrent& opened,
                                                          BlockIndex block, ByteRange range) {
  const ByteRange data = opened.layout->block_range(block);
  const ByteRange wanted = intersect(data, range);
  ReadPart part;
  part.torrent = torrent;
  part.torrent_block = block;
  part.block_size = data.size();
  part.skip = wanted.begin - data.begin;
  part.at = wanted.begin - range.begin;
  part.size = wanted.size();
  if (opened.in_source.test(block.value())) {
    part.source = opened.source;
    return part;
  }
  const auto [content, index] = locate(opened, block);
  if (!content || !content->have.test(index)) return std::nullopt;
  part.content = content;
  part.block = index;
  part.bytes = memory_.find(content->memory_key(index));
  if (part.bytes) return part;
  TRIBUTARY_CHECK(content->on_disk.test(index));
  part.file = content->file;
  if (content->checked.test(index)) return part;
  part.check = content->shape.by_pieces ? Check::kPiece : Check::kLeaf;
  if (part.check == Check::kLeaf) part.leaf = content->leaves[static_cast<std::size_t>(index)];
  return part;
}

bool Store::Impl::try_read(TorrentId torrent, ByteRange range, std::span<std::uint8_t> out) {
  return gather(torrent, range, out, false);
}

bool Store::Impl::try_read_now(TorrentId torrent, ByteRange range, std::span<std::uint8_t> out) {
  return gather(torrent, range, out, true);
}

bool Store::Impl::gather(TorrentId torrent, ByteRange range, std::span<std::uint8_t> out,
                         bool page_cache) {
  TRIBUTARY_CHECK(out.size() == count_of(range.size()));
  OpenTorrent* const opened = find(torrent);
  if (!opened || !is_readable(*opened, range)) return false;
  Bytes filled;
  const auto pad_to = [&](Bytes end) {
    std::fill(out.begin() + filled.count(), out.begin() + end.count(), std::uint8_t{0});
  };
  const BlockRange blocks = opened->layout->blocks_covering(range);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (intersect(opened->layout->block_range(b), range).empty()) continue;
    const auto part = part_of(torrent, *opened, b, range);
    if (!part) return false;
    const auto to = out.subspan(count_of(part->at), count_of(part->size));
    if (part->bytes) {
      std::copy_n(part->bytes->bytes().begin() + part->skip.count(), part->size.count(),
                  to.begin());
    } else if (!page_cache || !read_cached(*part, to)) {
      return false;
    }
    pad_to(part->at);
    filled = part->at + part->size;
  }
  pad_to(range.size());
  return true;
}

// What has yet to be hashed is left to the pool.
bool Store::Impl::read_cached(const ReadPart& part, std::span<std::uint8_t> out) {
  if (part.check != Check::kNone) return false;
  if (part.source) return part.source->read_cached(part.torrent_block, part.skip, out);
  const Bytes block = part.content->shape.layout.block_range(BlockIndex(part.block)).begin;
  return part.file->read_cached(block + part.skip, out);
}

void Store::Impl::answer(ReadDone done, Result<std::vector<std::uint8_t>> result) {
  loop_.post(guarded([done = std::move(done), result = std::move(result)](Impl&) mutable {
    done(std::move(result));
  }));
}

void Store::Impl::read(TorrentId torrent, const core::BlockSpan& span, ReadDone done) {
  OpenTorrent* const opened = find(torrent);
  if (!opened) return answer(std::move(done), not_stored());
  const core::Layout& layout = *opened->layout;
  if (span.piece < PieceIndex(0) || span.piece >= PieceIndex(layout.piece_count())) {
    return answer(std::move(done), invalid("the piece is outside the torrent"));
  }
  const ByteRange piece = layout.piece_range(span.piece);
  if (span.begin < 0_B || span.begin > piece.size() || span.length > piece.size() - span.begin) {
    return answer(std::move(done), invalid("the request is outside its piece"));
  }
  const Bytes begin = piece.begin + span.begin;
  read(torrent, ByteRange{begin, begin + span.length}, std::move(done));
}

void Store::Impl::read(TorrentId torrent, ByteRange range, ReadDone done) {
  OpenTorrent* const opened = find(torrent);
  if (!opened) return answer(std::move(done), not_stored());
  if (!is_readable(*opened, range)) {
    return answer(std::move(done), invalid("the range is empty or outside the torrent"));
  }
  if (range.size() > kMaxStoreRead || reads_.waiting() >= kMaxWaitingReads) {
    return answer(std::move(done),
                  Error{ErrorCode::kLimit, "the read is too long or too many wait"});
  }
  std::vector<std::uint8_t> out(count_of(range.size()));
  if (try_read(torrent, range, out)) return answer(std::move(done), std::move(out));
  reads_.push(prepared([torrent, range, done = std::move(done)](Impl& self) {
    return self.next_read(torrent, range, done);
  }));
}

std::optional<Lane::Job> Store::Impl::next_read(TorrentId torrent, ByteRange range,
                                                const ReadDone& done) {
  const auto missing = [&] { return answer(done, not_stored()), std::nullopt; };
  OpenTorrent* const opened = find(torrent);
  if (!opened) return missing();
  auto job = std::make_shared<ReadJob>();
  job->size = range.size();
  job->done = done;
  const BlockRange blocks = opened->layout->blocks_covering(range);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (intersect(opened->layout->block_range(b), range).empty()) continue;
    auto part = part_of(torrent, *opened, b, range);
    if (!part) return missing();
    job->parts.push_back(std::move(*part));
  }
  return Lane::Job{[job] { run_read(*job); },
                   guarded([job](Impl& self) { self.finish_read(*job); })};
}

void Store::Impl::finish_read(ReadJob& job) {
  std::vector<std::uint8_t> out(count_of(job.size));
  bool complete = true;
  for (const ReadPart& part : job.parts) {
    finish_part(part);
    if (!part.bytes) {
      complete = false;
      continue;
    }
    std::copy_n(part.bytes->bytes().begin() + part.skip.count(), part.size.count(),
                out.begin() + part.at.count());
  }
  if (complete) return job.done(std::move(out));
  job.done(not_stored());
}

void Store::Impl::finish_part(const ReadPart& part) {
  if (part.source) {
    if (part.outcome != Outcome::kGood) lose_source(part.torrent, part.torrent_block);
    return;
  }
  if (!part.file) return;  // was in memory
  if (part.outcome == Outcome::kFailed) report_disk_trouble(io_error("cannot read the cache"));
  if (part.check == Check::kPiece) return finish_piece(part);
  if (part.outcome != Outcome::kGood) {
    if (part.outcome == Outcome::kWrong) ++counters_.failed_checks;
    return lose(part.content, part.block);
  }
  if (!part.content->have.test(part.block)) return;
  part.content->checked.set(part.block);
  const MemoryKey key = part.content->memory_key(part.block);
  if (part.content->users.empty() || memory_.contains(key)) return;
  if (memory_.make_room(part.block_size, options_.memory_limit, false)) {
    memory_.add(key, part.bytes, Hold::kCopy);
  }
}

// The whole piece shares the outcome; what this run verified by itself stays.
void Store::Impl::finish_piece(const ReadPart& part) {
  OpenContent& content = *part.content;
  const core::Layout& layout = content.shape.layout;
  if (content.checked.test(part.block)) return;  // settled by an earlier part of the piece
  if (part.outcome == Outcome::kWrong && content.have.test(part.block)) ++counters_.failed_checks;
  const BlockRange blocks = layout.blocks_of(layout.piece_of(BlockIndex(part.block)));
  for (int b = blocks.begin.value(); b < blocks.end.value(); ++b) {
    if (!content.have.test(b) || content.checked.test(b)) continue;
    if (part.outcome == Outcome::kGood) {
      content.checked.set(b);
    } else {
      lose(part.content, b);
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Thread pool

void Store::Impl::run_read(ReadJob& job) {
  const std::span<ReadPart> parts(job.parts);
  for (std::size_t i = 0; i < parts.size();) {
    std::size_t end = i + 1;
    if (parts[i].check == Check::kPiece) {
      const core::Layout& layout = parts[i].content->shape.layout;
      const auto piece = [&](const ReadPart& p) { return layout.piece_of(BlockIndex(p.block)); };
      while (end < parts.size() && parts[end].content == parts[i].content &&
             parts[end].check == Check::kPiece && piece(parts[end]) == piece(parts[i])) {
        ++end;
      }
      read_piece(parts.subspan(i, end - i));
    } else if (!parts[i].bytes) {
      read_block(parts[i]);
    }
    i = end;
  }
}

void Store::Impl::read_block(ReadPart& part) {
  std::vector<std::uint8_t> bytes(count_of(part.block_size));
  const auto read =
      part.source
          ? part.source->read(part.torrent_block, bytes)
          : part.file->read(part.content->shape.layout.block_range(BlockIndex(part.block)).begin,
                            bytes);
  if (!read) {
    part.outcome = read.error().code == ErrorCode::kIo ? Outcome::kFailed : Outcome::kWrong;
    return;
  }
  if (part.check == Check::kLeaf && sha256(bytes) != part.leaf) {
    part.outcome = Outcome::kWrong;
    return;
  }
  part.outcome = Outcome::kGood;
  part.bytes = std::make_shared<const Payload>(std::move(bytes));
}

// Hashes the piece that the parts belong to, and keeps from the very bytes hashed what they want.
void Store::Impl::read_piece(std::span<ReadPart> parts) {
  const ContentShape& shape = parts[0].content->shape;
  const core::Layout& layout = shape.layout;
  const PieceIndex piece = layout.piece_of(BlockIndex(parts[0].block));
  const BlockRange blocks = layout.blocks_of(piece);
  const auto index = static_cast<std::size_t>(piece.value());
  const auto settle = [&](Outcome outcome) {
    for (ReadPart& part : parts) {
      part.outcome = outcome;
      if (outcome != Outcome::kGood) part.bytes = nullptr;
    }
  };
  Sha1Digesting digest;
  std::vector<std::uint8_t> bytes;
  auto part = parts.begin();
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    const ByteRange data = layout.block_range(b);
    bytes.assign(count_of(block_extent(layout, b)), 0);
    const auto block = std::span(bytes).first(count_of(data.size()));
    if (const auto read = parts[0].file->read(data.begin, block); !read) {
      return settle(read.error().code == ErrorCode::kIo ? Outcome::kFailed : Outcome::kWrong);
    }
    digest.update(bytes);
    if (part == parts.end() || part->block != b.value()) continue;
    part->bytes =
        std::make_shared<const Payload>(std::vector<std::uint8_t>(block.begin(), block.end()));
    ++part;
  }
  if (piece == PieceIndex(layout.piece_count() - 1)) {
    for (Bytes left = shape.tail_padding; left > 0_B; left -= core::kBlockSize) {
      bytes.assign(count_of(std::min(left, core::kBlockSize)), 0);
      digest.update(bytes);
    }
  }
  settle(index < shape.pieces.size() && digest.finish() == shape.pieces[index] ? Outcome::kGood
                                                                               : Outcome::kWrong);
}

}  // namespace tributary::net
