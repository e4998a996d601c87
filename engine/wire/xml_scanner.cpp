#include "engine/wire/xml_scanner.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

std::string_view without_prefix(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

constexpr std::string_view kNameEnd = " \t\r\n/>=<\"'&";

// Where the tag's '>' is, quoted attribute values passed over.
std::size_t find_tag_end(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '>') {
      return i;
    } else if (text[i] == '<') {
      return std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Error XmlScanner::fail(const std::string& what) const {
  const auto line =
      1 + std::count(all_.begin(), all_.end() - static_cast<std::ptrdiff_t>(rest_.size()), '\n');
  return invalid("playlist line " + std::to_string(line) + ": " + what);
}

Result<void> XmlScanner::skip_past(std::string_view end, const char* what) {
  const std::size_t at = rest_.find(end);
  if (at == std::string_view::npos) return fail(std::string(what) + " without an end");
  rest_.remove_prefix(at + end.size());
  return {};
}

Result<XmlScanner::Token> XmlScanner::next() {
  if (closes_itself_) {
    closes_itself_ = false;
    const std::string_view name = without_prefix(open_.back());
    open_.pop_back();
    return Token{Kind::kEnd, name, {}};
  }
  while (!rest_.empty()) {
    if (rest_.front() != '<') {
      auto text = character_data();
      if (!text || !open_.empty()) return text;
      if (!trim(text->text).empty()) return fail("text outside the root element");
    } else if (rest_.starts_with("<!--")) {
      if (auto done = skip_past("-->", "a comment"); !done) return done.error();
    } else if (rest_.starts_with("<?")) {
      if (auto done = skip_past("?>", "a processing instruction"); !done) return done.error();
    } else {
      return markup();
    }
  }
  if (!open_.empty()) return fail("<" + printable(open_.back()) + "> is never closed");
  if (!seen_root_) return fail("no element");
  return Token{};
}

Result<XmlScanner::Token> XmlScanner::markup() {
  if (rest_.starts_with("<![CDATA[") && !open_.empty()) {
    const std::string_view from = rest_.substr(9);
    if (auto done = skip_past("]]>", "a CDATA section"); !done) return done.error();
    return Token{Kind::kText, {}, std::string(from.substr(0, from.find("]]>")))};
  }
  if (rest_.starts_with("<!")) return fail("document types are not supported");
  return rest_.starts_with("</") ? end_tag() : start_tag();
}

Result<XmlScanner::Token> XmlScanner::end_tag() {
  const std::size_t end = rest_.find('>');
  if (end == std::string_view::npos) return fail("a tag without an end");
  const std::string_view name = trim(rest_.substr(2, end - 2));
  if (open_.empty() || name != open_.back()) {
    return fail("</" + printable(name) + "> closes what is not open");
  }
  rest_.remove_prefix(end + 1);
  open_.pop_back();
  return Token{Kind::kEnd, without_prefix(name), {}};
}

Result<XmlScanner::Token> XmlScanner::start_tag() {
  const std::size_t end = find_tag_end(rest_.substr(1));
  if (end == std::string_view::npos) return fail("a tag without an end");
  const std::string_view tag = rest_.substr(1, end);
  const std::string_view name = tag.substr(0, tag.find_first_of(kNameEnd));
  if (name.empty() || without_prefix(name).empty()) return fail("a tag without a name");
  if (open_.empty() && seen_root_) return fail("a second root element");
  if (open_.size() >= kMaxXmlDepth) {
    return fail("elements nested deeper than " + std::to_string(kMaxXmlDepth));
  }
  rest_.remove_prefix(end + 2);
  open_.push_back(name);
  seen_root_ = true;
  closes_itself_ = tag.ends_with('/');
  return Token{Kind::kStart, without_prefix(name), {}};
}

Result<XmlScanner::Token> XmlScanner::character_data() {
  Token out{Kind::kText, {}, {}};
  while (!rest_.empty() && rest_.front() != '<') {
    if (rest_.front() == '&') {
      if (auto done = decode_entity(out.text); !done) return done.error();
      continue;
    }
    const std::size_t end = std::min(rest_.find_first_of("<&"), rest_.size());
    out.text += rest_.substr(0, end);
    rest_.remove_prefix(end);
  }
  return out;
}

Result<void> XmlScanner::decode_entity(std::string& out) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kBuiltIn = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  constexpr std::size_t kLongest = 10;  // "&#x10FFFF;"
  const std::size_t end = rest_.substr(0, kLongest).find(';');
  if (end == std::string_view::npos) return fail("an entity without ';'");
  const std::string_view name = rest_.substr(1, end - 1);
  const auto known = std::find_if(kBuiltIn.begin(), kBuiltIn.end(),
                                  [&](const auto& entity) { return entity.first == name; });
  if (known != kBuiltIn.end()) {
    out += known->second;
  } else {
    if (!name.starts_with('#')) return fail("an unknown entity");
    const bool hex = name.starts_with("#x");
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t code_point = 0;
    const char* stop = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), stop, code_point, hex ? 16 : 10);
    if (error != std::errc() || at != stop || code_point == 0 || !append_utf8(out, code_point)) {
      return fail("a reference to no character");
    }
  }
  rest_.remove_prefix(end + 1);
  return {};
}

}  // namespace tributary::wire
