// Within engine/wire: the file lists of an info dictionary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/bencode.h"

namespace tributary::wire {

// Errors of metainfo: the key, and what is wrong with it.
Error metainfo_error(std::string_view key, const std::string& what,
                     ErrorCode code = ErrorCode::kInvalid);

// Checks one component of a path, or the torrent's name, as read from `key`: UTF-8 of one to
// kMaxComponentLength bytes, no separator, no control byte, neither "." nor "..".
Result<void> check_component(std::string_view component, std::string_view key);

// The files of "length" or "files" (v1), with offsets in torrent space, pads included. Sets
// `multi_file`. REQUIRES: piece_length is valid.
Result<std::vector<core::FileEntry>> parse_v1_files(BencodeView info, const std::string& name,
                                                    Bytes piece_length, bool& multi_file);
// The files of "file tree" (v2), each non-empty one at a piece boundary, without layers.
Result<std::vector<core::FileEntry>> parse_v2_files(BencodeView info, const std::string& name,
                                                    Bytes piece_length, bool& multi_file);

// Fails when two files share a path, or one file's path is a folder of another's.
Result<void> check_distinct(const std::vector<core::FileEntry>& files);

// Copies the v2 roots into the v1 list of a hybrid. Fails where the two disagree.
Result<void> merge_file_lists(std::vector<core::FileEntry>& v1,
                              const std::vector<core::FileEntry>& v2, Bytes piece_length);

}  // namespace tributary::wire
