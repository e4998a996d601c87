#include "demo/scrape.h"

#include "engine/net/http_client.h"
#include "engine/net/tracker_client.h"

namespace tributary::demo {
namespace {

// Loop thread only; lives as long as its tracker client.
class Scraper {
 public:
  Scraper(net::Loop& loop, const InfoHash& hash, Duration timeout, std::vector<Scrape>& scrapes,
          const std::function<void(const Scrape&)>& on_each)
      : http_(loop),
        client_(loop, http_, {}, {}, {}),
        hash_(hash),
        timeout_(timeout),
        scrapes_(scrapes),
        on_each_(on_each) {}

  void start() {
    while (asked_ < scrapes_.size() && asked_ - answered_ < kScrapesAtOnce) ask(asked_++);
  }
  bool done() const { return answered_ == scrapes_.size(); }

 private:
  void ask(std::size_t number) {
    client_.scrape(scrapes_[number].tracker, hash_, timeout_,
                   [this, number](const Result<wire::SwarmCounts>& counts) {
                     ++answered_;
                     scrapes_[number].counts = counts;
                     on_each_(scrapes_[number]);
                     start();
                   });
  }

  net::HttpClient http_;
  net::TrackerClient client_;
  InfoHash hash_;
  Duration timeout_;
  std::vector<Scrape>& scrapes_;
  const std::function<void(const Scrape&)>& on_each_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace

std::vector<Scrape> scrape(ServerSession& session, const std::vector<std::string>& trackers,
                           const InfoHash& hash, Duration timeout,
                           const std::function<void(const Scrape&)>& on_each) {
  std::vector<Scrape> out;
  for (const std::string& tracker : trackers) {
    out.push_back({tracker, Error{ErrorCode::kCancelled, "stopped before it answered"}});
  }
  Scraper scraper(session.loop(), hash, timeout, out, on_each);
  scraper.start();
  session.run_until([&] { return scraper.done(); });
  for (const Scrape& each : out) {
    if (!each.counts && each.counts.error().code == ErrorCode::kCancelled) on_each(each);
  }
  return out;
}

}  // namespace tributary::demo
