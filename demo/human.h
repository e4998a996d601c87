// Figures as people read them: "3.4 MB", "1.2 Mbit/s", "4:05". Pure; decimal units throughout.
#pragma once

#include <string>

#include "engine/base/units.h"

namespace tributary::demo {

std::string human_bytes(Bytes size);   // "0 B", "999 B", "16.4 kB", "1.05 MB"
std::string human_rate(BitRate rate);  // "0 bit/s", "600 kbit/s", "2.5 Mbit/s", "unlimited"
std::string human_byte_rate(Bytes size, Duration time);  // "512 MB/s"
std::string human_clock(Duration time);    // "0:05", "4:05", "1:02:03"; negative is zero
std::string human_delay(Duration time);    // "0 ms", "312 ms", "1.25 s", "1:05"
std::string human_seconds(Duration time);  // "0.0 s", "21.4 s", "4:05" from two minutes on
// `ratio` of 0 … 1 as "78 %"; less than one half of a percent but not zero is "<1 %".
std::string human_percent(double ratio);
// 150 percent as "1.5", 25 as "0.25", 100 as "1".
std::string human_ratio(std::int64_t percent);
// "1 peer", "2 peers", "0 peers".
std::string human_count(std::int64_t n, const std::string& noun);

}  // namespace tributary::demo
