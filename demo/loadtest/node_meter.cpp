#include "demo/loadtest/node_meter.h"

#include <variant>

#include "engine/sim/message_size.h"

namespace tributary::demo {

std::optional<NodeMeter::Change> NodeMeter::count(const player::Happening& happening) {
  return std::visit([this](const auto& what) { return on(what); }, happening);
}

std::optional<NodeMeter::Change> NodeMeter::on(const player::Opened& opened) {
  layouts_[opened.torrent->id] = opened.torrent->layout;
  return std::nullopt;
}

std::optional<NodeMeter::Change> NodeMeter::on(const core::Input* input) {
  if (const auto* heard = std::get_if<core::PeerMessage>(input)) {
    if (const auto* piece = std::get_if<core::Piece>(&heard->message)) {
      const auto layout = layouts_.find(heard->torrent);
      if (layout == layouts_.end()) return std::nullopt;
      const auto block = layout->second->block_at(piece->span.piece, piece->span.begin);
      received(piece->buffer, heard->torrent, block, sim::Origin::kPeers);
    }
  } else if (const auto* verified = std::get_if<core::Verified>(input)) {
    judge(*verified);
  } else if (const auto* lost = std::get_if<core::BlocksLost>(input)) {
    return Change{lost->torrent, lost->blocks, std::nullopt};
  }
  return std::nullopt;
}

std::optional<NodeMeter::Change> NodeMeter::on(const cdn::HttpInput* input) {
  if (const auto* block = std::get_if<cdn::HttpBlock>(input)) {
    const auto request = requests_.find(block->id);
    if (request == requests_.end()) return std::nullopt;
    received(block->buffer, request->second, block->block, sim::Origin::kCdn);
  } else if (const auto* done = std::get_if<cdn::HttpDone>(input)) {
    requests_.erase(done->id);
  }
  return std::nullopt;
}

std::optional<NodeMeter::Change> NodeMeter::on(const core::Action* action) {
  if (const auto* stored = std::get_if<core::Store>(action)) return store(*stored);
  if (const auto* freed = std::get_if<core::Free>(action)) {
    free(freed->buffer);
  } else if (const auto* sent = std::get_if<core::Send>(action)) {
    ++messages_;
    if (sim::tells_of_peers(sent->message)) search_bytes_ += sim::wire_size(sent->message);
  }
  return std::nullopt;
}

std::optional<NodeMeter::Change> NodeMeter::on(const cdn::HttpAction* action) {
  if (const auto* get = std::get_if<cdn::HttpGet>(action)) requests_[get->id] = get->torrent;
  return std::nullopt;
}

void NodeMeter::received(core::BufferId buffer, core::TorrentId torrent, core::BlockIndex block,
                         sim::Origin origin) {
  const auto layout = layouts_.find(torrent);
  if (layout == layouts_.end()) return;
  in_hand_[buffer] = {torrent, block, layout->second->block_range(block).size(), origin};
}

// What the node then throws away of them was wrong.
void NodeMeter::judge(const core::Verified& verified) {
  if (verified.good) return;
  for (auto& [buffer, block] : in_hand_) {
    if (block.torrent == verified.torrent && verified.blocks.contains(block.block)) {
      block.wrong = true;
    }
  }
}

NodeMeter::Change NodeMeter::store(const core::Store& store) {
  Change change{store.torrent, {store.block, store.block + 1}, sim::Origin::kPeers};
  if (const auto held = in_hand_.extract(store.buffer)) {
    change.origin = held.mapped().origin;
    kept_[held.mapped().origin] += held.mapped().size;
  }
  return change;
}

void NodeMeter::free(core::BufferId buffer) {
  const auto held = in_hand_.extract(buffer);
  if (!held) return;
  const InHand& block = held.mapped();
  (block.wrong ? corrupt_ : duplicate_)[block.origin] += block.size;
}

}  // namespace tributary::demo
