#include "engine/base/fifo.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>

#include "engine/base/random.h"

namespace tributary {
namespace {

TEST_CASE("a Fifo behaves as a deque whatever is done to it") {
  Random random(1);
  Fifo<int> fifo;
  std::deque<int> model;
  for (int i = 0; i < 20'000; ++i) {
    // Long phases of growth and of shrinking.
    const bool grows = i / 500 % 2 == 0;
    const std::uint64_t dice = random.below(100);
    if (dice < (grows ? 60U : 30U)) {
      fifo.push_back(i);
      model.push_back(i);
    } else if (dice < 35 + (grows ? 30U : 0U)) {
      fifo.push_front(i);
      model.push_front(i);
    } else if (dice == 99) {
      const auto odd = [](int n) { return n % 2 != 0; };
      CHECK(erase_if(fifo, odd) == std::erase_if(model, odd));
    } else if (dice == 98 && !model.empty()) {
      const auto place = static_cast<std::ptrdiff_t>(random.below(model.size()));
      fifo.erase(fifo.begin() + place);
      model.erase(model.begin() + place);
    } else if (!model.empty()) {
      CHECK(fifo.front() == model.front());
      CHECK(fifo.back() == model.back());
      if (dice % 2 == 0) {
        fifo.pop_front();
      } else {
        CHECK(fifo.take_front() == model.front());
      }
      model.pop_front();
    }
    REQUIRE(fifo.size() == model.size());
    REQUIRE(fifo.empty() == model.empty());
  }
  CHECK(std::equal(fifo.begin(), fifo.end(), model.begin(), model.end()));
  for (std::size_t i = 0; i < model.size(); ++i) CHECK(fifo[i] == model[i]);
}

TEST_CASE("a Fifo lets go of what left it at once") {
  const auto item = std::make_shared<int>(1);
  Fifo<std::shared_ptr<int>> fifo;
  for (int i = 0; i < 3; ++i) fifo.push_back(item);
  fifo.pop_front();
  CHECK(item.use_count() == 3);
  fifo.clear();
  CHECK(item.use_count() == 1);
  CHECK(fifo.empty());
}

}  // namespace
}  // namespace tributary
