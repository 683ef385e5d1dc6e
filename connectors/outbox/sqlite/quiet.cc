#include "connectors/outbox/sqlite/quiet.h"

#include <thread>

#include <sqlite3.h>

namespace tributary::sqlite {
namespace {

constexpr int kWriteLock = 0;
constexpr int kFirstReadLock = 3;
constexpr int kReadLocks = 5;

}  // namespace

bool QuietMoment::can_lock(int first, int count, int kind) const {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(connection_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK || file == nullptr || file->pMethods == nullptr) return true;
  if (file->pMethods->iVersion < 2 || file->pMethods->xShmLock == nullptr) return true;
  const auto lock = file->pMethods->xShmLock;
  const int code = lock(file, first, count, SQLITE_SHM_LOCK | kind);
  if (code == SQLITE_OK) lock(file, first, count, SQLITE_SHM_UNLOCK | kind);
  return code != SQLITE_BUSY;
}

bool QuietMoment::now() const {
  return !enabled_ || can_lock(kFirstReadLock, kReadLocks, SQLITE_SHM_EXCLUSIVE);
}

bool QuietMoment::writers_only() const { return !can_lock(kWriteLock, 1, SQLITE_SHM_SHARED); }

bool QuietMoment::look() {
  if (now()) return true;
  if (!writers_only()) readers_at_ = SystemClock().monotonic();
  return false;
}

void QuietMoment::wait(Micros until) {
  bool readers = false;
  while (!now() && SystemClock().monotonic() < until) {
    const bool writer = writers_only();
    if (writer && !readers) return;
    readers = readers || !writer;
    if (readers) readers_at_ = SystemClock().monotonic();
    std::this_thread::sleep_for(Millis{1});
  }
}

bool QuietMoment::readers_lately() const {
  return readers_at_ && SystemClock().monotonic() < *readers_at_ + Micros{1'000'000};
}

}  // namespace tributary::sqlite
