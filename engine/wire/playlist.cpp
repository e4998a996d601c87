#include "engine/wire/playlist.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "engine/wire/text.h"
#include "engine/wire/url.h"
#include "engine/wire/xml_scanner.h"

namespace tributary::wire {
namespace {

using Entries = std::vector<PlaylistEntry>;

Error fail(std::size_t line, const std::string& what, ErrorCode code = ErrorCode::kInvalid) {
  return {code, "playlist line " + std::to_string(line) + ": " + what};
}

// Text of any encoding comes out as UTF-8, malformed bytes and controls as '?'.
std::string clean_title(std::string_view title) {
  title = trim(title);
  std::string out;
  while (!title.empty() && out.size() < kMaxTitleLength) {
    const std::string_view part = title.substr(0, 64);
    const std::string shown = printable(part);
    out += shown;
    title.remove_prefix(part.size());
  }
  return out;
}

Result<void> append_entry(Entries& entries, PlaylistEntry entry, std::string_view base,
                          std::size_t line) {
  if (entries.size() >= kMaxPlaylistEntries) {
    return fail(line, "more than " + std::to_string(kMaxPlaylistEntries) + " entries",
                ErrorCode::kLimit);
  }
  if (entry.location.size() > kMaxLocationLength) {
    return fail(line, "a location longer than 8 KiB", ErrorCode::kLimit);
  }
  const auto control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  if (std::any_of(entry.location.begin(), entry.location.end(), control)) {
    return fail(line, "a control character in a location");
  }
  entry.location = resolve_location(base, entry.location);
  entries.push_back(std::move(entry));
  return {};
}

// Whole seconds or milliseconds at the front of the text; negative means unknown.
std::optional<Duration> parse_duration(std::string_view text, Duration unit) {
  text = trim(text);
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (error != std::errc() || stop == text.data() || value <= 0 || value > kMost) {
    return std::nullopt;
  }
  return unit * value;
}

// "#EXTINF:123,Artist - Title", with attributes between the number and the comma in some files.
void read_extinf(std::string_view text, PlaylistEntry& entry) {
  const std::size_t comma = text.find(',');
  entry.duration = parse_duration(text.substr(0, comma), 1s);
  if (comma != std::string_view::npos) entry.title = clean_title(text.substr(comma + 1));
}

Result<Entries> parse_m3u(std::string_view text, std::string_view base) {
  Entries entries;
  PlaylistEntry next;
  std::size_t number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    line = trim(line);
    if (line.starts_with("#EXTINF:")) {
      read_extinf(line.substr(8), next);
    } else if (line.starts_with("#EXT-X-")) {
      return fail(number, "an HLS playlist, which is one stream, not a list of tracks",
                  ErrorCode::kUnsupported);
    } else if (!line.empty() && line.front() != '#') {
      next.location = line;
      if (auto done = append_entry(entries, std::move(next), base, number); !done) {
        return done.error();
      }
      next = {};
    }
  }
  return entries;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// "File12" gives 12 for the prefix "File"; 0 when it is another key.
std::uint32_t numbered_key(std::string_view key, std::string_view prefix) {
  if (!equals_ignoring_case(key.substr(0, prefix.size()), prefix)) return 0;
  const std::string_view digits = key.substr(prefix.size());
  std::uint32_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && stop == digits.data() + digits.size() ? number : 0;
}

// REQUIRES: the line is "key=value".
void read_pls_line(std::string_view line, std::map<std::uint32_t, PlaylistEntry>& entries) {
  const std::size_t equals = line.find('=');
  const std::string_view key = trim(line.substr(0, equals));
  const std::string_view value = trim(line.substr(equals + 1));
  if (const auto n = numbered_key(key, "File")) entries[n].location = value;
  if (const auto n = numbered_key(key, "Title")) entries[n].title = clean_title(value);
  if (const auto n = numbered_key(key, "Length")) entries[n].duration = parse_duration(value, 1s);
}

Result<Entries> parse_pls(std::string_view text, std::string_view base) {
  std::map<std::uint32_t, PlaylistEntry> numbered;
  std::size_t number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    line = trim(line);
    if (line.find('=') != std::string_view::npos) read_pls_line(line, numbered);
    if (numbered.size() > kMaxPlaylistEntries) {
      return fail(number, "more than " + std::to_string(kMaxPlaylistEntries) + " entries",
                  ErrorCode::kLimit);
    }
  }
  Entries entries;
  for (auto& [n, entry] : numbered) {
    if (entry.location.empty()) continue;
    if (auto done = append_entry(entries, std::move(entry), base, number); !done) {
      return done.error();
    }
  }
  return entries;
}

// Collects playlist/trackList/track from the token stream. Tracks: the open elements' names and the
// text of the innermost one.
class XspfReader {
 public:
  XspfReader(std::string_view text, std::string_view base) : scanner_(text), base_(base) {}

  Result<Entries> run() {
    for (;;) {
      TRIBUTARY_TRY(token, scanner_.next());
      switch (token.kind) {
        case XmlScanner::Kind::kDone:
          return std::move(entries_);
        case XmlScanner::Kind::kText:
          text_ += token.text;
          break;
        case XmlScanner::Kind::kStart:
          path_.push_back(token.name), text_.clear();
          break;
        case XmlScanner::Kind::kEnd:
          if (auto done = end_element(); !done) return done.error();
      }
      if (path_.size() == 1 && path_[0] != "playlist") return fail(1, "no XSPF playlist");
    }
  }

 private:
  bool in_track() const {
    return path_.size() >= 3 && path_[1] == "trackList" && path_[2] == "track";
  }

  Result<void> end_element() {
    Result<void> done;
    if (in_track() && path_.size() == 4) read_field(path_[3]);
    if (in_track() && path_.size() == 3) done = end_track();
    path_.pop_back();
    text_.clear();
    return done;
  }

  void read_field(std::string_view name) {
    // A track may have several locations: the first is used.
    if (name == "location" && track_.location.empty()) track_.location = trim(text_);
    if (name == "title") track_.title = clean_title(text_);
    if (name == "duration") track_.duration = parse_duration(text_, 1ms);
  }

  Result<void> end_track() {
    PlaylistEntry track = std::exchange(track_, {});
    ++tracks_;
    if (track.location.empty()) return {};
    auto done = append_entry(entries_, std::move(track), base_, 0);
    if (done) return done;
    return Error{done.error().code, "playlist track " + std::to_string(tracks_) +
                                        done.error().message.substr(kLineZero.size())};
  }
  static constexpr std::string_view kLineZero = "playlist line 0";

  XmlScanner scanner_;
  std::string_view base_;
  std::vector<std::string_view> path_;
  std::string text_;
  PlaylistEntry track_;
  std::size_t tracks_ = 0;
  Entries entries_;
};

// A URL scheme of at least two letters, so that "C:\x" is a path.
bool is_absolute_url(std::string_view location) {
  const auto scheme = split_url(location).scheme;
  return scheme && scheme->size() > 1;
}

}  // namespace

std::string resolve_location(std::string_view base, std::string_view location) {
  if (base.empty() || location.empty() || is_absolute_url(location)) return std::string(location);
  if (is_absolute_url(base)) return resolve_url(base, location);
  if (location.front() == '/') return std::string(location);
  const std::size_t slash = base.rfind('/');
  if (slash == std::string_view::npos) return std::string(location);
  return std::string(base.substr(0, slash + 1)) + std::string(location);
}

Result<Entries> parse_playlist(std::string_view text, std::string_view base) {
  if (text.size() > kMaxPlaylistSize) {
    return Error{ErrorCode::kLimit, "playlist is larger than 8 MiB"};
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::string_view body = trim(text);
  if (body.starts_with('<')) return XspfReader(text, base).run();
  if (equals_ignoring_case(body.substr(0, 10), "[playlist]")) return parse_pls(text, base);
  return parse_m3u(text, base);
}

}  // namespace tributary::wire
