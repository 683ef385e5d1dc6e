/// Actors of other origins: whatever an origin's changelog says in their name is forged. And those
/// known to be the origin's own, by its database or by what replicas hold.
#pragma once

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <tributary/base/ids.h>

namespace tributary {

class OtherActors {
 public:
  OtherActors() = default;
  /// `origins`: all that the topology names, this one included.
  OtherActors(const OriginName& origin, std::vector<OriginName> origins)
      : others_(std::move(origins)) {
    std::erase(others_, origin);
  }
  void insert(ActorId actor) { known_.insert(actor); }
  void insert_own(ActorId actor) { own_.insert(actor); }
  [[nodiscard]] bool own(ActorId actor) const { return own_.contains(actor); }
  [[nodiscard]] bool contains(ActorId actor) const {
    return known_.contains(actor) || std::ranges::any_of(others_, [&](const OriginName& name) {
             return actor.made_for(name);
           });
  }

 private:
  std::vector<OriginName> others_;
  std::set<ActorId> known_;  ///< by what replicas say
  std::set<ActorId> own_;
};

}  // namespace tributary
