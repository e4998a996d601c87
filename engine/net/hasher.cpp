#include "engine/net/hasher.h"

#include <deque>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/digests.h"

namespace tributary::net {
namespace {

struct BytesJob {
  core::TorrentId torrent;
  core::BlockRange blocks;
  std::vector<BufferRef> buffers;
  std::optional<Sha256> leaf;
  core::VerifyId id;
  bool want_digests = false;
};

struct Job {
  std::shared_ptr<const TorrentHashes> hashes;
  std::variant<BytesJob, core::VerifyHashes> task;
  Bytes cost;
};

struct BytesAnswer {
  core::Verified verified;
  Verdict verdict;
};
using Answer = std::variant<BytesAnswer, core::HashesVerified>;
using Jobs = std::vector<Job>;

// Of the blocks that are to be checked by their leaf, in the order of their jobs.
std::vector<Sha256> leaves_of(const Jobs& jobs) {
  std::vector<wire::Octets> blocks;
  for (const Job& job : jobs) {
    const auto* bytes = std::get_if<BytesJob>(&job.task);
    if (bytes && bytes->leaf) blocks.push_back(bytes->buffers.front().bytes());
  }
  std::vector<Sha256> leaves(blocks.size());
  sha256_each(blocks, leaves);
  return leaves;
}

PieceCheck judge(const TorrentHashes& hashes, const BytesJob& job) {
  std::vector<wire::Octets> blocks;
  blocks.reserve(job.buffers.size());
  for (const BufferRef& buffer : job.buffers) blocks.push_back(buffer.bytes());
  return hashes.check_piece(hashes.layout().piece_of(job.blocks.begin), blocks, job.want_digests);
}

// `leaf` is the next of leaves_of().
Answer perform(const TorrentHashes& hashes, const BytesJob& job, const Sha256*& leaf) {
  if (job.leaf) {
    const bool good = job.buffers.front() && *leaf == *job.leaf;
    ++leaf;
    return BytesAnswer{{job.torrent, job.blocks, good, {}, job.id},
                       good ? Verdict::kGood : Verdict::kBad};
  }
  PieceCheck check = judge(hashes, job);
  const bool good = check.verdict == Verdict::kGood;
  return BytesAnswer{{job.torrent, job.blocks, good, std::move(check.digests), job.id},
                     check.verdict};
}

Answer perform(const TorrentHashes& hashes, const core::VerifyHashes& job, const Sha256*&) {
  return core::HashesVerified{job.torrent, job.conn, job.piece,
                              hashes.check_leaves(job.piece, job.hashes)};
}

std::vector<Answer> perform_all(const Jobs& jobs) {
  const std::vector<Sha256> leaves = leaves_of(jobs);
  const Sha256* leaf = leaves.data();
  std::vector<Answer> answers;
  answers.reserve(jobs.size());
  for (const Job& job : jobs) {
    answers.push_back(
        std::visit([&](const auto& task) { return perform(*job.hashes, task, leaf); }, job.task));
  }
  return answers;
}

BytesJob share_buffers(const BufferPool& pool, const core::Verify& action) {
  BytesJob job{action.torrent, action.blocks, {}, action.leaf, action.id, false};
  job.buffers.reserve(action.buffers.size());
  for (const core::BufferId id : action.buffers) {
    job.buffers.push_back(pool.contains(id) ? pool.share(id) : BufferRef());
  }
  return job;
}

}  // namespace

struct Hasher::State : std::enable_shared_from_this<State> {
  State(Loop& l, const BufferPool& p, Events e, HasherLimits m)
      : loop(l), pool(p), events(std::move(e)), limits(m) {}

  Loop& loop;
  const BufferPool& pool;
  Events events;
  HasherLimits limits;
  std::deque<Job> waiting;
  Bytes waiting_cost;
  Bytes running_cost;
  int workers = 0;
  int pending = 0;
  bool begin_posted = false;
  bool alive = true;
  // Pieces, by their first block, whose last check failed: their next one is to give digests, which
  // show whose block was wrong.
  std::set<std::pair<core::TorrentId, core::BlockIndex>> failed;

  // 4,096 failed pieces at once are an attack or a broken disk; forgetting more costs only blame.
  static constexpr std::size_t kMaxFailed = 4096;

  void note_outcome(const core::Verified& verified) {
    const std::pair key(verified.torrent, verified.blocks.begin);
    if (verified.good) {
      failed.erase(key);
    } else if (failed.size() < kMaxFailed) {
      failed.insert(key);
    }
  }

  void submit(Job job) {
    ++pending;
    waiting_cost += job.cost;
    waiting.push_back(std::move(job));
    if (std::exchange(begin_posted, true)) return;
    loop.post([self = shared_from_this()] {
      self->begin_posted = false;
      if (self->alive) self->begin();
    });
  }

  void begin() {
    if (workers == 0 && waiting_cost <= limits.max_at_once) {
      std::vector<Answer> answers = perform_all(next_batch());
      return deliver(answers);
    }
    while (!waiting.empty() && workers < limits.max_workers &&
           (workers == 0 || waiting_cost >= limits.worth_another_worker)) {
      start_worker();
    }
  }

  Jobs next_batch() {
    Jobs batch;
    Bytes cost;
    while (!waiting.empty() && cost < limits.max_batch) {
      cost += waiting.front().cost;
      batch.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    waiting_cost -= cost;
    return batch;
  }

  void start_worker() {
    ++workers;
    const Bytes before = waiting_cost;
    const auto jobs = std::make_shared<Jobs>(next_batch());
    const Bytes cost = before - waiting_cost;
    running_cost += cost;
    const auto answers = std::make_shared<std::vector<Answer>>();
    const auto run = [jobs, answers] { *answers = perform_all(*jobs); };
    loop.work(run, [self = shared_from_this(), answers, cost] {
      --self->workers;
      self->running_cost -= cost;
      if (self->alive && !self->waiting.empty()) self->begin();
      self->deliver(*answers);
    });
  }

  void deliver(std::vector<Answer>& answers) {
    for (Answer& answer : answers) {
      --pending;
      if (!alive) return;
      if (auto* bytes = std::get_if<BytesAnswer>(&answer)) {
        note_outcome(bytes->verified);
        events.verified(std::move(bytes->verified), bytes->verdict);
      } else {
        events.hashes_verified(std::move(std::get<core::HashesVerified>(answer)));
      }
    }
  }
};

Hasher::Hasher(Loop& loop, const BufferPool& pool, Events events, HasherLimits limits)
    : state_(std::make_shared<State>(loop, pool, std::move(events), limits)) {
  TRIBUTARY_CHECK(limits.max_workers > 0 && limits.max_batch > 0_B);
}

Hasher::~Hasher() {
  state_->alive = false;
  state_->waiting.clear();
}

void Hasher::verify(std::shared_ptr<const TorrentHashes> torrent, const core::Verify& action) {
  const core::Layout& layout = torrent->layout();
  const core::BlockIndex first = action.blocks.begin;
  TRIBUTARY_CHECK(first.value() >= 0 && first.value() < layout.block_count());
  TRIBUTARY_CHECK(std::ssize(action.buffers) == action.blocks.size());
  const bool whole_piece = action.blocks == layout.blocks_of(layout.piece_of(first));
  TRIBUTARY_CHECK(action.leaf ? action.blocks.size() == 1 : whole_piece);
  const Bytes cost = core::kBlockSize * action.blocks.size();
  BytesJob job = share_buffers(state_->pool, action);
  job.want_digests = state_->failed.contains({action.torrent, first});
  state_->submit({std::move(torrent), std::move(job), cost});
}

void Hasher::verify_hashes(std::shared_ptr<const TorrentHashes> torrent,
                           core::VerifyHashes action) {
  const std::int32_t pieces = torrent->layout().piece_count();
  TRIBUTARY_CHECK(action.piece.value() >= 0 && action.piece.value() < pieces);
  const Bytes cost(std::ssize(action.hashes.hashes) * 64);  // two digests of input for each
  state_->submit({std::move(torrent), std::move(action), cost});
}

int Hasher::pending() const { return state_->pending; }

Bytes Hasher::pending_bytes() const { return state_->waiting_cost + state_->running_cost; }

}  // namespace tributary::net
