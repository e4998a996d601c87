#include <doctest/doctest.h>

#include "demo/human.h"
#include "demo/rate_meter.h"
#include "demo/styled_line.h"
#include "demo/text_width.h"

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

TEST_CASE("width counts columns, not bytes") {
  CHECK(text_width("") == 0);
  CHECK(text_width("abc") == 3);
  CHECK(text_width("Größe") == 5);
  CHECK(text_width("e\u0301") == 1);
  CHECK(text_width("日本") == 4);
  CHECK(text_width("🎵") == 2);
}

TEST_CASE("what could move the cursor or turn the text is made harmless") {
  CHECK(fit_text("a\x1b[2Jb\n\tc", 20) == "a?[2Jb??c");
  CHECK(fit_text("\xc2\x9b"
                 "31m",
                 20) == "?31m");
  CHECK(fit_text("\xff\xc3", 20) == "??");
  CHECK(fit_text("a\u202eb", 20) == "a?b");
}

TEST_CASE("cut text ends with an ellipsis and is never wider than asked for") {
  CHECK(fit_text("abcdef", 6) == "abcdef");
  CHECK(fit_text("abcdef", 5) == "abcd…");
  CHECK(fit_text("日本語", 5) == "日本…");
  CHECK(fit_text("日本語", 4) == "日…");
  CHECK(fit_text("abc", 1) == "…");
  CHECK(fit_text("abc", 0).empty());
  CHECK(fit_text("abc", -3).empty());
  CHECK(pad_right("日", 4) == "日  ");
  CHECK(pad_left("ab", 4) == "  ab");
  CHECK(text_width(pad_right("日本語", 4)) == 4);
}

TEST_CASE("a styled line is cut across its spans and closes every colour") {
  StyledLine line("abc", Style::kGood);
  line.add("def", Style::kBad);
  CHECK(line.render(6, false) == "abcdef");
  CHECK(line.render(5, false) == "abcd…");
  CHECK(line.render(4, false) == "abc…");
  CHECK(line.render(3, false) == "ab…");
  CHECK(line.render(0, false).empty());
  CHECK(line.render(6, true) == "\x1b[32mabc\x1b[0m\x1b[1;31mdef\x1b[0m");
}

TEST_CASE("figures are told in units that people read") {
  CHECK(human_bytes(0_B) == "0 B");
  CHECK(human_bytes(999_B) == "999 B");
  CHECK(human_bytes(1000_B) == "1 kB");
  CHECK(human_bytes(Bytes(16384)) == "16.4 kB");
  CHECK(human_bytes(Bytes(999'999)) == "1 MB");
  CHECK(human_rate(600_kbps) == "600 kbit/s");
  CHECK(human_rate(kUnlimited) == "unlimited");
  CHECK(human_clock(-5s) == "0:00");
  CHECK(human_clock(245s) == "4:05");
  CHECK(human_clock(3723s) == "1:02:03");
  CHECK(human_delay(312ms) == "312 ms");
  CHECK(human_delay(1250ms) == "1.25 s");
  CHECK(human_percent(0) == "0 %");
  CHECK(human_percent(0.001) == "<1 %");
  CHECK(human_percent(0.999) == "99 %");
  CHECK(human_percent(1) == "100 %");
  CHECK(human_count(1, "peer") == "1 peer");
}

TEST_CASE("a meter tells the rate of the last two seconds and one a second for the past") {
  RateMeter meter;
  CHECK(meter.now() == BitRate());
  const TimePoint start{};
  for (int i = 0; i <= 50; ++i) meter.add(start + i * 200ms, Bytes(i * 25'000));  // 1 Mbit/s
  CHECK(meter.now() == 1_Mbps);
  CHECK(meter.history().size() == 10);
  CHECK(meter.history().back() == 1_Mbps);
  for (int i = 51; i <= 62; ++i) meter.add(start + i * 200ms, Bytes(50 * 25'000));
  CHECK(meter.now() == BitRate());
  for (int i = 1; i <= 200; ++i) meter.add(start + 20s + i * 1s, Bytes(50 * 25'000));
  CHECK(meter.history().size() == RateMeter::kHistory);
}

TEST_CASE("a sparkline shows every rate that is not zero and the last ones where space is short") {
  const std::vector<BitRate> rates = {BitRate(), BitRate(1), 500_kbps, 1_Mbps};
  CHECK(sparkline(rates, 1_Mbps, 4) == " ▁▄█");
  CHECK(sparkline(rates, 1_Mbps, 2) == "▄█");
  CHECK(sparkline(rates, 1_Mbps, 10) == " ▁▄█");
  CHECK(sparkline(rates, 1_Mbps, 0).empty());
  CHECK(sparkline({}, 1_Mbps, 4).empty());
}
