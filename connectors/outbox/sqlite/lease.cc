#include "connectors/outbox/sqlite/lease.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tributary::sqlite {

Result<void> Lease::take() {
  if (file_ >= 0) return {};
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return fail(ErrorKind::kFatal, "lease file " + path_ + ": " +
                                       std::generic_category().message(errno) +
                                       "; is its folder writable?");
  }
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    close(file);
    if (why == EWOULDBLOCK) {
      return fail(ErrorKind::kConflict, "another relay holds the lease (file " + path_ + ")");
    }
    return fail(ErrorKind::kTransient,
                "lease file " + path_ + ": " + std::generic_category().message(why));
  }
  file_ = file;
  return {};
}

void Lease::release() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

}  // namespace tributary::sqlite
