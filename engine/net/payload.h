// The bytes of a block on their way out, with whatever keeps them alive.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "engine/net/buffer_pool.h"

namespace tributary::net {

// Movable; holds either a share of a pooled buffer or bytes of its own.
class Payload {
 public:
  Payload() = default;
  Payload(BufferRef buffer) : holder_(std::move(buffer)) {}                // NOLINT
  Payload(std::vector<std::uint8_t> bytes) : holder_(std::move(bytes)) {}  // NOLINT

  std::span<const std::uint8_t> bytes() const {
    if (const auto* buffer = std::get_if<BufferRef>(&holder_)) return buffer->bytes();
    return *std::get_if<std::vector<std::uint8_t>>(&holder_);
  }

 private:
  std::variant<BufferRef, std::vector<std::uint8_t>> holder_;
};

}  // namespace tributary::net
