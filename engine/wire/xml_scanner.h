// Within engine/wire: a strict pull scanner for the subset of XML 1.0 that XSPF uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace tributary::wire {

// Elements within elements.
inline constexpr std::size_t kMaxXmlDepth = 32;

// Gives start tags, end tags and text in order; attributes, comments and processing instructions
// are checked for their end and dropped, namespace prefixes cut off. A document type is refused,
// and with it every entity but the five built-in ones and character references.
class XmlScanner {
 public:
  enum class Kind { kStart, kEnd, kText, kDone };
  struct Token {
    Kind kind = Kind::kDone;
    std::string_view name;  // of a tag, without prefix
    std::string text;       // decoded
  };

  // The text must outlive the scanner and its tokens.
  explicit XmlScanner(std::string_view text) : all_(text), rest_(text) {}

  Result<Token> next();

 private:
  Error fail(const std::string& what) const;
  // Drops what ends with `end`, that included.
  Result<void> skip_past(std::string_view end, const char* what);
  Result<Token> markup();
  Result<Token> end_tag();
  Result<Token> start_tag();
  Result<Token> character_data();
  Result<void> decode_entity(std::string& out);

  std::string_view all_;
  std::string_view rest_;
  std::vector<std::string_view> open_;  // names with prefixes
  bool closes_itself_ = false;          // the last start tag was <a/>
  bool seen_root_ = false;
};

}  // namespace tributary::wire
