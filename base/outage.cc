#include "base/outage.h"

#include <algorithm>

#include "base/log.h"

namespace tributary {
namespace {

constexpr Millis kFirstSlowWait{1'000};
/// A reason that holds a changing number must not fill the memory.
constexpr std::size_t kReasonsKept = 32;

}  // namespace

Outage::Outage(Sentences sentences, std::string origin, Gauge& failed, const Waits& waits)
    : sentences_(std::move(sentences)),
      origin_(std::move(origin)),
      failed_(failed),
      quick_(waits.first, waits.longest, waits.seed),
      slow_(kFirstSlowWait, kLongestWait, waits.seed) {
  failed_.set(0);
}

Millis Outage::met(const Error& error) {
  person_ = needs_person(error.kind);
  failed_.set(person_ ? 1 : 0);
  if (!told_.contains(error.message)) tell(error, person_);
  return person_ ? slow_.next() : quick_.next();
}

void Outage::tell(const Error& error, bool needs_person) {
  if (told_.size() >= kReasonsKept) told_.clear();
  told_.insert(error.message);
  const auto say = needs_person ? log::error : log::warn;
  const std::string& sentence = needs_person ? sentences_.refuse : sentences_.away;
  if (origin_.empty()) return say(sentence, {{"reason", error.message}});
  say(sentence, {{"origin", origin_}, {"reason", error.message}});
}

void Outage::over() {
  failed_.set(0);
  quick_.reset();
  slow_.reset();
  if (told_.empty()) return;
  told_.clear();
  if (origin_.empty()) return log::info(sentences_.back);
  log::info(sentences_.back, {{"origin", origin_}});
}

}  // namespace tributary
