/// Lines of a file or of stdin, bounded in length, with errors said rather than taken for the end.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include <tributary/base/result.h>

namespace tributary::cli {

/// One thread.
class LineReader {
 public:
  enum class Read { kLine, kTooLong, kEnd };

  /// Opens `path`, "-" being stdin; no line may have more than `longest` bytes. kInvalid when it
  /// cannot be read or is a directory.
  [[nodiscard]] static Result<LineReader> open(const std::string& path, std::size_t longest);

  /// The next line without its end; of one that is too long only a part, the rest is skipped.
  /// kFatal when reading fails.
  [[nodiscard]] Result<Read> next(std::string& line);

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };

  LineReader(std::FILE* file, std::string name, std::size_t longest)
      : file_(file), name_(std::move(name)), longest_(longest) {}

  std::unique_ptr<std::FILE, Close> file_;
  std::string name_;
  std::size_t longest_;
};

}  // namespace tributary::cli
