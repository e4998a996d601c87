// Bencoding (BEP 3): a bounded, zero-copy decoder.
//
// Strict where laxness would give one text two meanings: duplicate keys, leading zeros, -0 and
// trailing bytes are errors. Keys out of order are accepted and reported by BencodeView::sorted(),
// for files in the wild have them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

struct BencodeLimits {
  // Bytes of input. 64 MiB holds the piece layers of a torrent of the most pieces.
  std::size_t max_size = 64U << 20;
  // Values, keys included. A token takes 20 bytes of memory, so that 2^20 of them take 20 MiB.
  std::size_t max_items = 1U << 20;
  // Containers within containers. The deepest honest text is a v2 file tree.
  std::size_t max_depth = 64;
};

enum class BencodeKind : std::uint8_t { kNone, kInteger, kString, kList, kDict };

class BencodeDocument;

// One value of a decoded document, or no value at all (kNone). Cheap to copy; valid as long as the
// document and the decoded bytes are.
class BencodeView {
 public:
  class Iterator;
  struct Range;

  BencodeView() = default;

  BencodeKind kind() const;
  bool exists() const { return tokens_ != nullptr; }
  bool is_list() const { return kind() == BencodeKind::kList; }
  bool is_dict() const { return kind() == BencodeKind::kDict; }
  // Nothing when the value is of another kind.
  std::optional<std::int64_t> integer() const;
  std::optional<std::string_view> string() const;

  // The value of a key; kNone when this is no dictionary or lacks it. Cost: one step per entry.
  BencodeView find(std::string_view key) const;
  // The elements of a list; for a dictionary its keys and values by turns; else nothing.
  Range children() const;
  // The entries of a dictionary in the order of the text; else nothing.
  std::vector<std::pair<std::string_view, BencodeView>> entries() const;
  // Whether a dictionary's own keys ascend, as BEP 3 demands. True for other kinds.
  bool sorted() const;

  // Where the value's text is in the input.
  std::size_t offset() const;
  Octets raw() const;

 private:
  friend class BencodeDocument;
  friend class BencodeParser;
  struct Token {
    std::uint32_t begin;  // of the value's text
    std::uint32_t body;   // of a string's content
    std::uint32_t end;
    std::uint32_t next;  // the token after this value and all within it
    BencodeKind kind;
    bool sorted;
  };

  BencodeView(const std::uint8_t* data, const Token* tokens, std::uint32_t index)
      : data_(data), tokens_(tokens), index_(index) {}
  const Token& token() const { return tokens_[index_]; }

  const std::uint8_t* data_ = nullptr;
  const Token* tokens_ = nullptr;
  std::uint32_t index_ = 0;
};

class BencodeView::Iterator {
 public:
  explicit Iterator(BencodeView at) : at_(at) {}
  BencodeView operator*() const { return at_; }
  Iterator& operator++() {
    at_.index_ = at_.token().next;
    return *this;
  }
  bool operator==(const Iterator& other) const { return at_.index_ == other.at_.index_; }

 private:
  BencodeView at_;
};

struct BencodeView::Range {
  Iterator first;
  Iterator last;
  Iterator begin() const { return first; }
  Iterator end() const { return last; }
};

// Owns the structure, not the bytes: those must outlive it.
class BencodeDocument {
 public:
  BencodeView root() const { return {data_, tokens_.data(), 0}; }

 private:
  friend class BencodeParser;
  const std::uint8_t* data_ = nullptr;
  std::vector<BencodeView::Token> tokens_;
};

// Decodes exactly one value that fills `text`. Errors read "byte 1234: string runs past the end";
// kLimit when a limit was exceeded. Uses no recursion.
Result<BencodeDocument> decode_bencode(Octets text, const BencodeLimits& limits = {});
// The same for a value that other bytes may follow: they begin after root().raw(). Errors are those
// of the value.
Result<BencodeDocument> decode_bencode_prefix(Octets text, const BencodeLimits& limits = {});

}  // namespace tributary::wire
