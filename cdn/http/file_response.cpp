#include "cdn/http/file_response.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tributary::cdn {
namespace {

// Dates of conditions come from our own Last-Modified, so the century of short years does not
// matter.
constexpr WallTime kYear2026{1'767'225'600};

// Entity tags are compared weakly for If-None-Match and strongly for If-Match (section 8.8.3.2).
bool lists_tag(std::string_view list, std::string_view etag, bool weak) {
  if (trim(list) == "*") return true;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = trim(list.substr(0, comma));
    if (weak && item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool modified_since(std::string_view date, const FileFacts& file) {
  const auto since = parse_http_date(date, kYear2026);
  return !since || file.modified > *since;
}

// 0 when the request is to be carried out.
int failed_condition(const net::HttpHeaders& headers, const FileFacts& file) {
  if (const auto match = net::header_value(headers, "if-match")) {
    if (!lists_tag(*match, file.etag, false)) return 412;
  } else if (const auto date = net::header_value(headers, "if-unmodified-since")) {
    const auto since = parse_http_date(*date, kYear2026);
    if (since && file.modified > *since) return 412;
  }
  if (const auto none = net::header_value(headers, "if-none-match")) {
    if (lists_tag(*none, file.etag, true)) return 304;
  } else if (const auto date = net::header_value(headers, "if-modified-since")) {
    if (!modified_since(*date, file)) return 304;
  }
  return 0;
}

// If-Range: the range counts only while the file is the one that the client knows.
bool range_applies(const net::HttpHeaders& headers, const FileFacts& file) {
  const auto condition = net::header_value(headers, "if-range");
  if (!condition) return true;
  if (trim(*condition).starts_with('"')) return trim(*condition) == file.etag;
  return parse_http_date(*condition, kYear2026) == file.modified;
}

// Nothing: to be ignored. An empty range: not satisfiable.
std::optional<ByteRange> parse_range(std::string_view text, Bytes size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!equal_ignoring_case(text.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  text = trim(text.substr(kUnit.size()));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first = trim(text.substr(0, dash));
  const std::string_view last = trim(text.substr(dash + 1));
  const auto end = parse_content_length(last);
  if (!last.empty() && !end) return std::nullopt;
  if (first.empty()) {
    if (!end) return std::nullopt;
    return ByteRange{std::max(size - *end, 0_B), size};
  }
  const auto begin = parse_content_length(first);
  if (!begin || (end && *end < *begin)) return std::nullopt;
  if (*begin >= size) return ByteRange{};
  return ByteRange{*begin, end ? std::min(*end, size - 1_B) + 1_B : size};
}

std::string content_range(ByteRange range, Bytes size) {
  return "bytes " + std::to_string(range.begin.count()) + '-' +
         std::to_string(range.end.count() - 1) + '/' + std::to_string(size.count());
}

}  // namespace

FilePlan plan_file_response(std::string_view method, const net::HttpHeaders& headers,
                            const FileFacts& file) {
  FilePlan plan;
  plan.headers = {{"ETag", file.etag},
                  {"Last-Modified", format_http_date(file.modified)},
                  {"Accept-Ranges", "bytes"}};
  if (const int status = failed_condition(headers, file)) {
    plan.status = status;
    return plan;
  }
  plan.body = {0_B, file.size};
  const auto text = net::header_value(headers, "range");
  if (method != "GET" || !text || !range_applies(headers, file)) return plan;
  const auto range = parse_range(*text, file.size);
  if (!range) return plan;
  plan.body = *range;
  if (range->empty()) {
    plan.status = 416;
    plan.headers.emplace_back("Content-Range", "bytes */" + std::to_string(file.size.count()));
  } else {
    plan.status = 206;
    plan.headers.emplace_back("Content-Range", content_range(*range, file.size));
  }
  return plan;
}

std::string_view content_type_of(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 29> kTypes = {{
      {"torrent", "application/x-bittorrent"},
      {"mp4", "video/mp4"},
      {"m4v", "video/mp4"},
      {"m4a", "audio/mp4"},
      {"mp3", "audio/mpeg"},
      {"opus", "audio/ogg"},
      {"ogg", "audio/ogg"},
      {"oga", "audio/ogg"},
      {"ogv", "video/ogg"},
      {"flac", "audio/flac"},
      {"wav", "audio/wav"},
      {"mkv", "video/x-matroska"},
      {"mka", "audio/x-matroska"},
      {"webm", "video/webm"},
      {"m3u8", "application/vnd.apple.mpegurl"},
      {"m3u", "application/vnd.apple.mpegurl"},
      {"ts", "video/mp2t"},
      {"m4s", "video/iso.segment"},
      {"aac", "audio/aac"},
      {"mov", "video/quicktime"},
      {"vtt", "text/vtt; charset=utf-8"},
      {"gif", "image/gif"},
      {"json", "application/json"},
      {"js", "text/javascript; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"html", "text/html; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"jpg", "image/jpeg"},
      {"png", "image/png"},
  }};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [extension, type] : kTypes) {
      if (equal_ignoring_case(name.substr(dot + 1), extension)) return type;
    }
  }
  return "application/octet-stream";
}

}  // namespace tributary::cdn
