// The engine's figures in the text format of Prometheus (version 0.0.4).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "player/client/engine_view.h"
#include "player/gateway/gateway.h"

namespace tributary::player {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// Writes families in the order of the calls. REQUIRES: each name is used by one family; the samples
// of a family follow it; names and label names are well-formed.
class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  // Of the last family.
  void sample(std::int64_t value, const Labels& labels = {});
  const std::string& text() const { return text_; }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);

  std::string name_;
  std::string text_;
};

std::string metrics_text(const EngineView& engine, const GatewayCounters& gateway);

}  // namespace tributary::player
