/// CHECK(): a programmer's mistake stops the process, in release builds too. Not for bad input.
#pragma once

namespace tributary {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace tributary

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::tributary::check_failed(#condition, __FILE__, __LINE__))
