#include "tests/simulation/history.h"

#include <algorithm>

#include <tributary/crdt/types/counter.h>

namespace tributary::simulation {

Change History::marker(std::size_t number) {
  return counter::add("t:" + std::to_string(number), 1);
}

std::optional<std::size_t> History::marked_by(const std::string& key) {
  if (!key.starts_with("t:")) return std::nullopt;
  return std::stoull(key.substr(2));
}

void History::committed(const std::string& origin, std::vector<Change> changes,
                        WriterContext told) {
  held_[origin].insert(written_.size());
  written_.push_back({.origin = origin, .changes = std::move(changes), .told = std::move(told)});
}

void History::published(std::size_t number, ActorId actor, Seq first) {
  Written& written = written_.at(number);
  written.publications.push_back({actor, first, publications_++});
  if (written.discarded) came_back_.insert(number);
}

void History::ended(ActorId actor, Seq final_seq, Seq whole) {
  for (Written& each : written_) {
    const bool told_of = each.discarded && each.discarded->actor == actor;
    if (told_of && each.discarded->seq > final_seq) each.discarded.reset();
    for (Publication& publication : each.publications) {
      if (publication.actor == actor && publication.first > final_seq) {
        publication.behind_final = true;
        publication.cut_off = publication.first > whole;
      }
    }
  }
}

void History::restored(const std::string& origin, const std::set<std::size_t>& held) {
  for (const std::size_t number : held_[origin]) {
    if (held.contains(number)) continue;
    Written& forgotten = written_.at(number);
    forgotten.forgotten_at = std::min(forgotten.forgotten_at, written_.size());
    if (forgotten.publications.empty()) forgotten.may_be_lost = true;
  }
  held_[origin] = held;
}

void History::decided(std::size_t number, bool retried, bool doubted) {
  Written& written = written_.at(number);
  if (!retried) written.may_be_lost = true;
  else if (doubted) {
    written.most = std::max(written.most, written.publications.size() + 1);
    written.discarded.reset();
  }
}

void History::broken(const std::string& origin) {
  for (Written& each : written_) {
    if (each.origin == origin) each.may_be_lost = true;
  }
}

std::optional<std::string> History::wrong(const std::set<OriginName>& loses) const {
  for (std::size_t number = 0; number < written_.size(); ++number) {
    const Written& each = written_[number];
    const std::size_t times = each.publications.size();
    const std::string name = "transaction " + std::to_string(number) + " of " + each.origin;
    if (times == 0 && !each.may_be_lost) return name + " was lost: it was never published";
    const bool forgotten = loses.contains({each.origin});
    if (came_back_.contains(number) && !forgotten) return name + " came back after its discard";
    const auto counting =
        static_cast<std::size_t>(std::ranges::count_if(each.publications, [&](const auto& one) {
          return !one.cut_off && !(forgotten && one.behind_final);
        }));
    if (counting > each.most) {
      return name + " was published " + std::to_string(counting) + " times";
    }
  }
  return std::nullopt;
}

}  // namespace tributary::simulation
