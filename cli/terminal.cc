#include "cli/terminal.h"

#include <cstdio>

#include <unistd.h>

namespace tributary::cli {

ProgressLine::ProgressLine(std::string unit)
    : unit_(std::move(unit)), started_(clock_.monotonic()), terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(std::uint64_t done) {
  const double seconds = static_cast<double>((clock_.monotonic() - started_).count()) / 1e6;
  std::fprintf(stderr, "\r%llu %s, %.0f %s/s ", static_cast<unsigned long long>(done),
               unit_.c_str(), seconds > 0 ? static_cast<double>(done) / seconds : 0, unit_.c_str());
}

void ProgressLine::update(std::uint64_t done) {
  constexpr Micros kEvery{200'000};
  if (!terminal_ || clock_.monotonic() - shown_ < kEvery) return;
  shown_ = clock_.monotonic();
  show(done);
}

void ProgressLine::finish(std::uint64_t done) {
  if (!terminal_) return;
  show(done);
  std::fputc('\n', stderr);
}

}  // namespace tributary::cli
