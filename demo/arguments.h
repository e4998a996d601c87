// The texts of the command line as values. Pure. Each error is one line that says what is wrong and
// what would be right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::demo {

// Bits per second: "600k", "2.5M", "1G", "64000"; above zero, at most 1000 G.
Result<BitRate> parse_rate(std::string_view text);

// A time in the media: "90", "90.5", "90s", "1m30s", "1h", "250ms", "1:30", "1:02:03"; at most 1000
// h.
Result<Duration> parse_time(std::string_view text);

// The same, where it matters whether the user gave one.
Result<std::optional<Duration>> parse_told_time(std::string_view text);

// How much is given for what was taken, in percent: "1" is 100, "1.5" is 150; above zero, at most
// "1000".
Result<std::int64_t> parse_ratio(std::string_view text);
Result<std::optional<std::int64_t>> parse_told_ratio(std::string_view text);

// A count of bytes: "16384", "16k", "1M" with 1024 for k, as piece lengths are counted.
Result<Bytes> parse_piece_length(std::string_view text);

// How much room: "1G", "500M", 1024 for k; up to 1024 G.
Result<Bytes> parse_size(std::string_view text);

// A part of something: "39%", "0.5%", in millionths; at most "100%".
Result<std::int64_t> parse_percent(std::string_view text);

// A sum of money: "0.05", in millionths.
Result<std::int64_t> parse_price(std::string_view text);

// How many of something: "1" … "1000000".
Result<std::int32_t> parse_count(std::string_view text);
// The same, where it matters whether the user gave one.
Result<std::optional<std::int32_t>> parse_told_count(std::string_view text);

// Where to listen: "127.0.0.1:8080", "[::1]:0", ":8080" and "localhost:8080" (loopback).
Result<Endpoint> parse_listen(std::string_view text);
// The same, where it matters whether the user named an address.
Result<std::optional<Endpoint>> parse_told_listen(std::string_view text);

// The reverse: "127.0.0.1:8080", "[::1]:0".
std::string address_text(const Endpoint& at);

// Somebody to call, "HOST:PORT" with a port above 0. `what` is how the error calls it: "peer".
Result<HostPort> parse_remote(std::string_view what, std::string_view text);

// An edge must be http or https; a tracker may be udp as well, which needs a port.
Result<std::string> parse_edge(std::string_view text);
Result<std::string> parse_tracker(std::string_view text);

// A source of `play`: a path or an http(s) URL. Looks at the text alone.
Result<std::string> parse_source(std::string_view text);

// The end must lie behind the start.
Result<void> check_span(Duration from, Duration until);

}  // namespace tributary::demo
