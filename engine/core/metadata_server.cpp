#include "engine/core/metadata_server.h"

#include <algorithm>

namespace tributary::core {
namespace {

constexpr Duration kInterval = Duration(1s) / kMetadataPerSecond;
constexpr Duration kAhead = kInterval * (kMetadataBurst - 1);

}  // namespace

std::optional<Bytes> MetadataServer::offered() const {
  const Bytes size(std::ssize(s_.meta.info_bytes));
  if (size == 0_B || s_.meta.info.is_private || !s_.params.upload) return std::nullopt;
  return size;
}

void MetadataServer::on_request(Peer& peer, const MetadataRequest& request) {
  const auto size = offered();
  const bool there = size && kMetadataPieceSize * request.piece < *size;
  const bool too_many = peer.metadata_waiting >= kMaxMetadataWaiting;
  if (too_many) ++peer.offences;
  if (!there || too_many) return s_.send(peer, MetadataReject{request.piece});
  ++peer.metadata_waiting;
  queue_.push_back({peer.conn, request.piece});
}

void MetadataServer::on_time() {
  while (!queue_.empty() && next_deadline() <= s_.now) {
    const Waiting next = queue_.front();
    queue_.pop_front();
    Peer* peer = s_.peer(next.conn);
    if (!peer) continue;
    --peer->metadata_waiting;
    const auto& info = s_.meta.info_bytes;
    const auto begin = static_cast<std::ptrdiff_t>((kMetadataPieceSize * next.piece).count());
    const auto length =
        std::min(std::ssize(info) - begin, static_cast<std::ptrdiff_t>(kMetadataPieceSize.count()));
    s_.send(*peer, MetadataData{next.piece,
                                Bytes(std::ssize(info)),
                                {info.begin() + begin, info.begin() + begin + length}});
    paid_until_ = std::max(paid_until_, s_.now) + kInterval;
  }
}

TimePoint MetadataServer::next_deadline() const {
  return queue_.empty() ? kNever : paid_until_ - kAhead;
}

}  // namespace tributary::core
