#include "connectors/outbox/sqlite/place.h"

#include <fstream>
#include <utility>

#include <sys/stat.h>

namespace tributary::sqlite {
namespace {

constexpr Micros kBetweenChecks{500'000};

/// Empty in most containers: then it tells nothing.
std::string machine() {
  std::string id;
  std::ifstream("/etc/machine-id") >> id;
  return id;
}

struct Place {
  std::string inode;
  std::string machine;
  std::string path;

  static std::optional<Place> of(const std::string& text) {
    const auto first = text.find(' ');
    const auto second = first == std::string::npos ? first : text.find(' ', first + 1);
    if (second == std::string::npos) return std::nullopt;
    return Place{text.substr(0, first), text.substr(first + 1, second - first - 1),
                 text.substr(second + 1)};
  }
  [[nodiscard]] bool same_machine(const Place& other) const {
    return machine.empty() || other.machine.empty() || machine == other.machine;
  }
};

}  // namespace

std::optional<FileId> file_at(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

Result<void> OpenFile::check() const {
  const auto found = file_at(path_);
  if (!found) {
    return fail(ErrorKind::kTransient, "SQLite file " + path_ +
                                           ": the file was deleted or moved away while it was " +
                                           "open; opening it again");
  }
  if (*found == id_) return {};
  return fail(
      ErrorKind::kTransient,
      "SQLite file " + path_ + ": the file was replaced while it was open; opening it " + "again");
}

Result<void> OpenFile::check_now_and_then() {
  const Micros now = SystemClock().monotonic();
  if (checked_ != Micros{0} && now < checked_ + kBetweenChecks) return {};
  checked_ = now;
  return check();
}

std::string OpenFile::place() const {
  return std::to_string(id_.inode) + " " + machine() + " " + real_path_;
}

bool is_copy(const std::string& before, const std::string& now) {
  const auto then = Place::of(before);
  const auto here = Place::of(now);
  if (!then || !here || then->inode == here->inode) return false;
  return then->path != here->path || !then->same_machine(*here);
}

bool is_replacement(const std::string& before, const std::string& now) {
  const auto then = Place::of(before);
  const auto here = Place::of(now);
  return then && here && then->inode != here->inode && !is_copy(before, now);
}

}  // namespace tributary::sqlite
