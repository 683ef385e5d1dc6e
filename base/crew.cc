#include "base/crew.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

namespace tributary {
namespace {

std::atomic<std::size_t> behind{0};

}  // namespace

struct Crew::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::size_t> working;
  std::size_t achieved = 0;
  bool left = false;
};

bool Crew::Member::left_behind() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->left;
}

void Crew::Member::gets_on() const {
  const std::scoped_lock lock(state_->mutex);
  ++state_->achieved;
  state_->changed.notify_all();
}

void Crew::Member::ended() const {
  const std::scoped_lock lock(state_->mutex);
  state_->working.erase(number_);
  ++state_->achieved;
  if (state_->left) --behind;
  state_->changed.notify_all();
}

Crew::Crew() : state_(std::make_shared<State>()) {}

Crew::~Crew() {
  if (state_ == nullptr) return;  // moved from
  const std::unique_lock lock(state_->mutex);
  state_->left = true;
  behind += state_->working.size();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (state_->working.contains(i)) threads_[i].detach();
    else threads_[i].join();  // it has nothing to do any more
  }
}

void Crew::start(Work work) {
  const Member member(state_, threads_.size());
  {
    const std::scoped_lock lock(state_->mutex);
    state_->working.insert(member.number_);
  }
  threads_.emplace_back([member, work = std::move(work)]() mutable {
    work(member);
    work = nullptr;  // with all that it owns
    member.ended();
  });
}

bool Crew::wait(Millis quiet, Millis longest) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + longest;
  std::unique_lock lock(state_->mutex);
  while (!state_->working.empty()) {
    const std::size_t before = state_->achieved;
    const auto until = std::min(end, Clock::now() + quiet);
    const bool news = state_->changed.wait_until(
        lock, until, [&] { return state_->achieved != before || state_->working.empty(); });
    if (!news || Clock::now() >= end) break;
  }
  return state_->working.empty();
}

std::size_t Crew::still_behind() { return behind; }

int end_process(int code) {
  if (Crew::still_behind() == 0) return code;
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace tributary
