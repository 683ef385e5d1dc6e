#include "base/stop.h"

#include <condition_variable>
#include <mutex>

namespace tributary {

void sleep_unless_stopped(Millis wait, std::stop_token stop) {
  if (wait <= Millis{0}) return;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, wait, [] { return false; });
}

}  // namespace tributary
