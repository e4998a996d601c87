#include "engine/wire/bencode.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

namespace tributary::wire {
namespace {

bool is_digit(std::uint8_t c) { return c >= '0' && c <= '9'; }

}  // namespace

// Invariants: stack_ holds the open containers, outermost first; tokens_[0] is the root.
class BencodeParser {
 public:
  BencodeParser(Octets text, const BencodeLimits& limits) : text_(text), limits_(limits) {}

  Result<BencodeDocument> run(bool prefix) {
    const std::size_t addressable = std::numeric_limits<std::uint32_t>::max();
    if (text_.size() > std::min(limits_.max_size, addressable)) {
      return Error{ErrorCode::kLimit, "bencoded text of " + std::to_string(text_.size()) +
                                          " bytes is over the limit of " +
                                          std::to_string(limits_.max_size)};
    }
    do {
      if (auto step_result = step(); !step_result) return step_result.error();
    } while (!stack_.empty());
    if (!prefix && at_ != text_.size()) return fail("bytes follow the value");
    document_.data_ = text_.data();
    return std::move(document_);
  }

 private:
  using Token = BencodeView::Token;
  static constexpr std::uint32_t kNoKey = std::numeric_limits<std::uint32_t>::max();

  struct Frame {
    std::uint32_t token;
    std::uint32_t last_key = kNoKey;
    bool wants_key = false;  // of a dictionary: the next item is a key
  };

  Error fail_at(std::size_t at, const std::string& what,
                ErrorCode code = ErrorCode::kInvalid) const {
    return {code, "byte " + std::to_string(at) + ": " + what};
  }
  Error fail(const std::string& what, ErrorCode code = ErrorCode::kInvalid) const {
    return fail_at(at_, what, code);
  }
  std::vector<Token>& tokens() { return document_.tokens_; }
  std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }

  Result<void> step() {
    if (at_ == text_.size()) return fail("the text ends within a value");
    const std::uint8_t c = text_[at_];
    if (c == 'e') return close();
    if (tokens().size() >= limits_.max_items) {
      return fail("more than " + std::to_string(limits_.max_items) + " values", ErrorCode::kLimit);
    }
    if (!stack_.empty() && stack_.back().wants_key) return key(c);
    if (c == 'l' || c == 'd') return open(c == 'd');
    auto scalar = c == 'i' ? integer() : string();
    if (scalar) value_ended();
    return scalar;
  }

  // After a value within a dictionary a key is due again.
  void value_ended() {
    if (stack_.empty()) return;
    Frame& top = stack_.back();
    top.wants_key = tokens()[top.token].kind == BencodeKind::kDict;
  }

  Result<void> open(bool dict) {
    if (stack_.size() >= limits_.max_depth) {
      return fail("nested deeper than " + std::to_string(limits_.max_depth), ErrorCode::kLimit);
    }
    stack_.push_back({.token = static_cast<std::uint32_t>(tokens().size()), .wants_key = dict});
    tokens().push_back({.begin = position(),
                        .body = position(),
                        .end = 0,
                        .next = 0,
                        .kind = dict ? BencodeKind::kDict : BencodeKind::kList,
                        .sorted = true});
    ++at_;
    return {};
  }

  Result<void> close() {
    if (stack_.empty()) return fail("an 'e' where a value should begin");
    const Frame top = stack_.back();
    Token& container = tokens()[top.token];
    if (container.kind == BencodeKind::kDict) {
      if (!top.wants_key) return fail("a key has no value");
      if (!container.sorted) {
        if (auto unique = check_unique(top.token); !unique) return unique;
      }
    }
    ++at_;
    container.end = position();
    container.next = static_cast<std::uint32_t>(tokens().size());
    stack_.pop_back();
    value_ended();
    return {};
  }

  Result<void> key(std::uint8_t c) {
    if (!is_digit(c)) return fail("a dictionary key is not a string");
    const auto index = static_cast<std::uint32_t>(tokens().size());
    if (auto text = string(); !text) return text;
    Frame& top = stack_.back();
    if (top.last_key != kNoKey) {
      const int order = text_of(top.last_key).compare(text_of(index));
      if (order == 0) return duplicate(index);
      if (order > 0) tokens()[top.token].sorted = false;
    }
    top.last_key = index;
    top.wants_key = false;
    return {};
  }

  std::string_view text_of(std::uint32_t index) {
    const Token& t = tokens()[index];
    return as_text(text_.subspan(t.body, t.end - t.body));
  }
  Error duplicate(std::uint32_t index) {
    return fail_at(tokens()[index].begin, "a dictionary key comes twice");
  }

  // For dictionaries whose keys do not ascend; the others were checked on the way.
  Result<void> check_unique(std::uint32_t dict) {
    std::vector<std::pair<std::string_view, std::uint32_t>> keys;
    for (std::uint32_t i = dict + 1; i < tokens().size();) {
      keys.emplace_back(text_of(i), i);
      i = tokens()[i + 1].next;
    }
    std::sort(keys.begin(), keys.end());
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    const auto twice = std::adjacent_find(keys.begin(), keys.end(), same);
    if (twice != keys.end()) return duplicate(std::next(twice)->second);
    return {};
  }

  void push_scalar(std::size_t begin, std::size_t body, BencodeKind kind) {
    tokens().push_back({.begin = static_cast<std::uint32_t>(begin),
                        .body = static_cast<std::uint32_t>(body),
                        .end = position(),
                        .next = static_cast<std::uint32_t>(tokens().size() + 1),
                        .kind = kind,
                        .sorted = true});
  }

  Result<void> integer() {
    const std::size_t begin = at_;
    std::size_t digits = at_ + 1;
    const bool negative = digits < text_.size() && text_[digits] == '-';
    if (negative) ++digits;
    std::size_t end = digits;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    if (end == text_.size()) return fail("the text ends within an integer");
    if (text_[end] != 'e' || end == digits) return fail("not an integer");
    if (text_[digits] == '0' && (end - digits > 1 || negative)) {
      return fail("an integer with a leading zero or a negative zero");
    }
    std::int64_t value = 0;
    const auto* chars = as_text(text_).data();
    if (std::from_chars(chars + begin + 1, chars + end, value).ec != std::errc()) {
      return fail("an integer beyond 64 bits");
    }
    at_ = end + 1;
    push_scalar(begin, begin + 1, BencodeKind::kInteger);
    return {};
  }

  Result<void> string() {
    const std::size_t begin = at_;
    if (!is_digit(text_[begin])) return fail("not the beginning of a value");
    std::size_t colon = begin;
    std::size_t length = 0;
    for (; colon < text_.size() && is_digit(text_[colon]); ++colon) {
      length = length * 10 + (text_[colon] - '0');
      if (length > text_.size()) return fail("string runs past the end");
    }
    if (colon == text_.size()) return fail("the text ends within a string's length");
    if (text_[colon] != ':') return fail_at(colon, "a string's length is not followed by ':'");
    if (text_[begin] == '0' && colon - begin > 1)
      return fail("a string's length has leading zeros");
    if (length > text_.size() - colon - 1) return fail("string runs past the end");
    at_ = colon + 1 + length;
    push_scalar(begin, colon + 1, BencodeKind::kString);
    return {};
  }

  Octets text_;
  const BencodeLimits& limits_;
  std::size_t at_ = 0;
  std::vector<Frame> stack_;
  BencodeDocument document_;
};

Result<BencodeDocument> decode_bencode(Octets text, const BencodeLimits& limits) {
  return BencodeParser(text, limits).run(false);
}

Result<BencodeDocument> decode_bencode_prefix(Octets text, const BencodeLimits& limits) {
  return BencodeParser(text, limits).run(true);
}

BencodeKind BencodeView::kind() const { return exists() ? token().kind : BencodeKind::kNone; }

std::optional<std::int64_t> BencodeView::integer() const {
  if (kind() != BencodeKind::kInteger) return std::nullopt;
  const std::string_view digits = as_text({data_ + token().body, data_ + token().end - 1});
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<std::string_view> BencodeView::string() const {
  if (kind() != BencodeKind::kString) return std::nullopt;
  return as_text({data_ + token().body, data_ + token().end});
}

BencodeView::Range BencodeView::children() const {
  if (!is_list() && !is_dict()) return {Iterator(*this), Iterator(*this)};
  return {Iterator({data_, tokens_, index_ + 1}), Iterator({data_, tokens_, token().next})};
}

std::vector<std::pair<std::string_view, BencodeView>> BencodeView::entries() const {
  std::vector<std::pair<std::string_view, BencodeView>> out;
  if (!is_dict()) return out;
  const Range range = children();
  for (Iterator at = range.begin(); !(at == range.end()); ++at) {
    const std::string_view key = *(*at).string();
    ++at;
    out.emplace_back(key, *at);
  }
  return out;
}

BencodeView BencodeView::find(std::string_view key) const {
  if (!is_dict()) return {};
  const Range range = children();
  for (Iterator at = range.begin(); !(at == range.end()); ++at) {
    const bool found = (*at).string() == key;
    ++at;
    if (found) return *at;
  }
  return {};
}

bool BencodeView::sorted() const { return !exists() || token().sorted; }

std::size_t BencodeView::offset() const { return exists() ? token().begin : 0; }

Octets BencodeView::raw() const {
  if (!exists()) return {};
  return {data_ + token().begin, data_ + token().end};
}

}  // namespace tributary::wire
