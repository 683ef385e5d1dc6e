#include "cli/line_reader.h"

#include <cerrno>
#include <system_error>

#include <sys/stat.h>

namespace tributary::cli {
namespace {

Error unreadable(ErrorKind kind, const std::string& name, int why) {
  return {kind, "cannot read " + name + ": " + std::generic_category().message(why)};
}

}  // namespace

Result<LineReader> LineReader::open(const std::string& path, std::size_t longest) {
  const std::string name = path == "-" ? "stdin" : "file " + path;
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "re");
  if (file == nullptr) return fail(unreadable(ErrorKind::kInvalid, name, errno));
  LineReader reader(file, name, longest);
  struct stat about {};
  if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
    return fail(unreadable(ErrorKind::kInvalid, name, EISDIR));
  }
  return reader;
}

Result<LineReader::Read> LineReader::next(std::string& line) {
  line.clear();
  bool too_long = false;
  errno = 0;
  for (int c = getc_unlocked(file_.get()); c != EOF; c = getc_unlocked(file_.get())) {
    if (c == '\n') return too_long ? Read::kTooLong : Read::kLine;
    too_long = too_long || line.size() == longest_;
    if (!too_long) line.push_back(static_cast<char>(c));
  }
  if (std::ferror(file_.get()) != 0) return fail(unreadable(ErrorKind::kFatal, name_, errno));
  if (too_long) return Read::kTooLong;
  return line.empty() ? Read::kEnd : Read::kLine;
}

}  // namespace tributary::cli
