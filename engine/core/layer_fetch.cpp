#include "engine/core/layer_fetch.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {

// Whole requests that cover the layer; each proves itself up to the root.
std::vector<HashSpan> LayerFetch::spans_of(const LayerSpan& layer) {
  const std::uint32_t length = std::min(kLayerHashes, std::bit_ceil(layer.count));
  std::vector<HashSpan> spans;
  for (std::uint32_t index = 0; index < layer.count; index += length) {
    spans.push_back({.pieces_root = layer.pieces_root,
                     .base_layer = layer.base,
                     .index = index,
                     .length = length,
                     .proof_layers = layer.height - layer.base - 1});
  }
  return spans;
}

LayerFetch::LayerFetch(std::vector<LayerSpan> layers) : layers_(std::move(layers)) {
  for (const LayerSpan& layer : layers_) {
    TRIBUTARY_CHECK(layer.base < layer.height && layer.height <= 28 && layer.count >= 2);
    TRIBUTARY_CHECK(layer.count <= std::uint32_t{1} << (layer.height - layer.base));
    for (const HashSpan& span : spans_of(layer)) {
      const bool is_new = parts_.try_emplace(span, Part{layer.height, {}, false}).second;
      if (is_new) open_.push_back(span);
    }
  }
}

std::optional<HashSpan> LayerFetch::next_request(ConnId peer, TimePoint now) {
  if (open_.empty() || useless_.contains(peer)) return std::nullopt;
  std::vector<Asked>& asked = asked_[peer];
  if (asked.size() >= kLayerPipeline) return std::nullopt;
  const HashSpan span = open_.front();
  open_.pop_front();
  asked.push_back({span, now});
  return span;
}

std::vector<LayerFetch::Asked>::iterator LayerFetch::find(ConnId peer, const HashSpan& span) {
  std::vector<Asked>& asked = asked_.at(peer);
  return std::find_if(asked.begin(), asked.end(), [&](const Asked& a) { return a.span == span; });
}

std::optional<std::uint32_t> LayerFetch::on_hashes(ConnId peer, const Hashes& hashes) {
  if (!asked_.contains(peer) || hashes.hashes.size() < hashes.span.length) return std::nullopt;
  const auto asked = find(peer, hashes.span);
  if (asked == asked_.at(peer).end() || asked->answered) return std::nullopt;
  asked->answered = true;
  Part& part = parts_.at(hashes.span);
  part.hashes.assign(hashes.hashes.begin(), hashes.hashes.begin() + hashes.span.length);
  return part.height;
}

void LayerFetch::on_verdict(ConnId peer, const HashSpan& span, bool good) {
  if (!asked_.contains(peer)) return;  // it went meanwhile, and the part is open again
  const auto asked = find(peer, span);
  if (asked == asked_.at(peer).end() || !asked->answered) return;
  asked_.at(peer).erase(asked);
  if (asked_.at(peer).empty()) asked_.erase(peer);
  if (good) {
    parts_.at(span).there = true;
    ++there_;
  } else {
    open_.push_front(span);
    useless_.insert(peer);
  }
}

// What the peer owes is open to others.
void LayerFetch::release(ConnId peer) {
  const auto it = asked_.find(peer);
  if (it == asked_.end()) return;
  for (const Asked& asked : it->second) open_.push_front(asked.span);
  asked_.erase(it);
}

void LayerFetch::on_reject(ConnId peer, const HashSpan& span) {
  if (!asked_.contains(peer) || find(peer, span) == asked_.at(peer).end()) return;
  useless_.insert(peer);
  release(peer);
}

void LayerFetch::forget(ConnId peer) {
  release(peer);
  useless_.erase(peer);
}

void LayerFetch::on_time(TimePoint now) {
  std::vector<ConnId> silent;
  for (const auto& [peer, asked] : asked_) {
    if (asked.front().at + kLayerTimeout <= now) silent.push_back(peer);
  }
  for (ConnId peer : silent) {
    useless_.insert(peer);
    release(peer);
  }
}

TimePoint LayerFetch::next_deadline() const {
  TimePoint next = kNever;
  for (const auto& [peer, asked] : asked_) {
    next = std::min(next, asked.front().at + kLayerTimeout);
  }
  return next;
}

std::vector<std::vector<Sha256>> LayerFetch::take() const {
  TRIBUTARY_CHECK(complete());
  std::vector<std::vector<Sha256>> out;
  for (const LayerSpan& layer : layers_) {
    std::vector<Sha256>& hashes = out.emplace_back();
    for (const HashSpan& span : spans_of(layer)) {
      const std::vector<Sha256>& part = parts_.at(span).hashes;
      hashes.insert(hashes.end(), part.begin(), part.end());
    }
    hashes.resize(layer.count);  // the rest is filling
  }
  return out;
}

}  // namespace tributary::core
