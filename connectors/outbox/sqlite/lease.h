/// The lease of an origin in SQLite: an exclusive lock on the file "<database>.tributary-lease".
/// The kernel drops it with the process, kill -9 included.
#pragma once

#include <string>

#include <tributary/base/result.h>

namespace tributary::sqlite {

/// Not thread-safe.
class Lease {
 public:
  explicit Lease(const std::string& database_path) : path_(database_path + ".tributary-lease") {}
  ~Lease() { release(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// kConflict when another process, or another Lease, holds it.
  Result<void> take();
  void release();

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace tributary::sqlite
