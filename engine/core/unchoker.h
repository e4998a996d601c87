// The unchokers by name; what they do is in choker.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tributary::core {

enum class Unchoker : std::uint8_t { kTitForTat, kTitForTatFastest, kPropShare, kNeedFirst };

inline constexpr std::array kUnchokers = {Unchoker::kTitForTat, Unchoker::kTitForTatFastest,
                                          Unchoker::kPropShare, Unchoker::kNeedFirst};

constexpr std::string_view to_string(Unchoker unchoker) {
  constexpr std::array<std::string_view, 4> kNames = {"tit-for-tat", "tit-for-tat-fastest",
                                                      "prop-share", "need-first"};
  return kNames[static_cast<std::size_t>(unchoker)];
}

// Nothing for an unknown name.
constexpr std::optional<Unchoker> unchoker_by_name(std::string_view name) {
  for (const Unchoker unchoker : kUnchokers) {
    if (to_string(unchoker) == name) return unchoker;
  }
  return std::nullopt;
}

}  // namespace tributary::core
