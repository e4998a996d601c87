#include "engine/wire/bencode_encoder.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::wire {

void BencodeEncoder::begin_value() {
  if (stack_.empty() || !stack_.back().dict) return;
  TRIBUTARY_CHECK(stack_.back().has_key);
  stack_.back().has_key = false;
}

void BencodeEncoder::append_string(std::string_view text) {
  append(out_, as_octets(std::to_string(text.size())));
  out_.push_back(':');
  append(out_, as_octets(text));
}

BencodeEncoder& BencodeEncoder::integer(std::int64_t value) {
  begin_value();
  append(out_, as_octets("i" + std::to_string(value) + "e"));
  return *this;
}

BencodeEncoder& BencodeEncoder::string(std::string_view text) {
  begin_value();
  append_string(text);
  return *this;
}

BencodeEncoder& BencodeEncoder::begin_list() {
  begin_value();
  out_.push_back('l');
  stack_.emplace_back();
  return *this;
}

BencodeEncoder& BencodeEncoder::begin_dict() {
  begin_value();
  out_.push_back('d');
  stack_.emplace_back().dict = true;
  return *this;
}

BencodeEncoder& BencodeEncoder::key(std::string_view key) {
  TRIBUTARY_CHECK(!stack_.empty() && stack_.back().dict && !stack_.back().has_key);
  Frame& top = stack_.back();
  TRIBUTARY_CHECK(!top.any || top.last_key < key);
  append_string(key);
  top.any = true;
  top.has_key = true;
  top.last_key = key;
  return *this;
}

BencodeEncoder& BencodeEncoder::end() {
  TRIBUTARY_CHECK(!stack_.empty() && !stack_.back().has_key);
  out_.push_back('e');
  stack_.pop_back();
  return *this;
}

BencodeEncoder& BencodeEncoder::raw(Octets value) {
  begin_value();
  append(out_, value);
  return *this;
}

OctetBuffer BencodeEncoder::take() {
  TRIBUTARY_CHECK(stack_.empty());
  return std::exchange(out_, {});
}

namespace {

// Recursion is as deep as the document, which the decoder has bounded.
void encode_into(BencodeEncoder& out, BencodeView value) {
  if (value.is_list()) {
    out.begin_list();
    for (BencodeView item : value.children()) encode_into(out, item);
    out.end();
  } else if (value.is_dict()) {
    auto entries = value.entries();
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    out.begin_dict();
    for (const auto& [key, item] : entries) encode_into(out.key(key), item);
    out.end();
  } else {
    out.raw(value.raw());
  }
}

}  // namespace

OctetBuffer encode_bencode(BencodeView value) {
  BencodeEncoder out;
  encode_into(out, value);
  return out.take();
}

}  // namespace tributary::wire
