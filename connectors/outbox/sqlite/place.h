/// Where a database file is, to notice that another file took its place, and that a file is a copy
/// of another. Not for: what is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <tributary/base/result.h>

#include "base/clock.h"

namespace tributary::sqlite {

/// Which file stands at a path, symbolic links followed. Device numbers change with a remount, so
/// it holds only as long as the file is open.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileId&) const = default;
};

/// nullopt when there is none.
[[nodiscard]] std::optional<FileId> file_at(const std::string& path);

/// The open file, and whether it still stands at its path. Not thread-safe.
class OpenFile {
 public:
  /// `real_path` is without symbolic links: `path` may be one, which is made to point elsewhere.
  OpenFile(std::string path, std::string real_path, FileId id)
      : path_(std::move(path)), real_path_(std::move(real_path)), id_(id) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& real_path() const { return real_path_; }
  /// kTransient, open anew, when the file was replaced, moved or deleted.
  [[nodiscard]] Result<void> check() const;
  /// check(), once a second at most.
  [[nodiscard]] Result<void> check_now_and_then();
  /// For tributary_origin.place: inode, machine and path.
  [[nodiscard]] std::string place() const;

 private:
  std::string path_;
  std::string real_path_;
  FileId id_;
  Micros checked_{0};
};

/// True when `now` is a copy of the file that was at `before`: another inode, at another path or on
/// another machine. A file that was moved, or whose file system was mounted elsewhere, is none; one
/// that was put back at its own path is not told here, nor is the image of a whole file system.
[[nodiscard]] bool is_copy(const std::string& before, const std::string& now);
/// True when another file stands at the same path of the same machine.
[[nodiscard]] bool is_replacement(const std::string& before, const std::string& now);

}  // namespace tributary::sqlite
