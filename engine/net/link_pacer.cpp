#include "engine/net/link_pacer.h"

#include <algorithm>
#include <utility>

namespace tributary::net {

LinkPacer::LinkPacer(Loop& loop, Bytes limited_read, std::function<PeerLink*(core::ConnId)> find)
    : loop_(loop),
      limited_read_(limited_read),
      find_(std::move(find)),
      upload_timer_(loop),
      download_timer_(loop) {}

void LinkPacer::set_upload_rate(BitRate rate) {
  upload_.set_rate(rate, loop_.now());
  upload_timer_.start(loop_.now(), [] {});  // wakes the loop, at whose turn's end blocks are taken
}

void LinkPacer::set_download_rate(BitRate rate) {
  download_.set_rate(rate, loop_.now());
  wake_resuming(loop_.now());
}

void LinkPacer::share(TokenBucket& upload, TokenBucket& download) {
  upload_ = TokenBucket(kUnlimited, TokenBucket::kDefaultBurst, &upload);
  download_ = TokenBucket(kUnlimited, TokenBucket::kDefaultBurst, &download);
}

void LinkPacer::limit(core::TorrentId torrent, TokenBucket* upload, TokenBucket* download) {
  if (upload || download) {
    torrents_[torrent] = {upload, download};
  } else {
    torrents_.erase(torrent);
  }
  upload_timer_.start(loop_.now(), [] {});
  wake_resuming(loop_.now());
}

TokenBucket& LinkPacer::upload_of(const PeerLink& link) {
  const auto it = torrents_.find(link.torrent());
  return it != torrents_.end() && it->second.upload ? *it->second.upload : upload_;
}

TokenBucket& LinkPacer::download_of(const PeerLink& link) {
  const auto it = torrents_.find(link.torrent());
  return it != torrents_.end() && it->second.download ? *it->second.download : download_;
}

void LinkPacer::offer(PeerLink& link) {
  if (!link.wants_block() || std::exchange(link.in_uploads, true)) return;
  uploads_.push_back(link.conn());
}

void LinkPacer::upload_in_turns(const std::function<void(PeerLink&)>& sends) {
  if (uploads_.empty()) return;
  const TimePoint now = loop_.now();
  TimePoint ready = kNever;  // for those passed over since the last block
  for (std::size_t passed_over = 0; passed_over < uploads_.size();) {
    const core::ConnId conn = uploads_.front();
    uploads_.pop_front();
    PeerLink* link = find_(conn);
    if (!link) continue;
    TokenBucket& bucket = upload_of(*link);
    if (link->wants_block() && !bucket.may_take(now)) {
      uploads_.push_back(conn);
      ready = std::min(ready, bucket.ready_at(now));
      ++passed_over;
      continue;
    }
    link->in_uploads = false;
    if (!link->wants_block()) continue;
    bucket.take(link->take_block(), now);
    passed_over = 0;
    ready = kNever;
    sends(*link);
    offer(*link);
  }
  if (ready != kNever) upload_timer_.start(ready, [] {});
}

Bytes LinkPacer::most_at_once() const {
  const bool limited = !download_.unlimited() ||
                       std::any_of(torrents_.begin(), torrents_.end(), [](const auto& torrent) {
                         const TokenBucket* bucket = torrent.second.download;
                         return bucket && !bucket->unlimited();
                       });
  return limited ? limited_read_ : Bytes(INT64_MAX);
}

void LinkPacer::on_read(PeerLink& link, Bytes size) {
  TokenBucket& bucket = download_of(link);
  if (bucket.unlimited()) return;
  const TimePoint now = loop_.now();
  bucket.take(size, now);
  if (bucket.may_take(now)) return;
  link.pause_reading();
  if (!std::exchange(link.in_paused, true)) paused_.push_back(link.conn());
  wake_resuming(bucket.ready_at(now));
}

void LinkPacer::wake_resuming(TimePoint at) {
  if (resume_at_ <= at) return;
  resume_at_ = at;
  download_timer_.start(at, [this] { resume_in_turns(); });
}

// Lets as many go on as the tokens suffice for, each for one read.
void LinkPacer::resume_in_turns() {
  const TimePoint now = loop_.now();
  resume_at_ = kNever;
  std::map<const TokenBucket*, Bytes> promised;
  TimePoint ready = kNever;
  for (std::size_t left = paused_.size(); left > 0; --left) {
    const core::ConnId conn = paused_.front();
    paused_.pop_front();
    PeerLink* link = find_(conn);
    if (!link) continue;
    TokenBucket& bucket = download_of(*link);
    if (promised[&bucket] >= bucket.available(now)) {
      paused_.push_back(conn);
      ready = std::min(ready, bucket.ready_at(now));
      continue;
    }
    link->in_paused = false;
    promised[&bucket] += limited_read_;
    link->resume_reading();
  }
  if (ready != kNever) wake_resuming(std::max(ready, now + 1ms));
}

}  // namespace tributary::net
