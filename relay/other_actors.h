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
  /// By what a replica says.
  void insert(ActorId actor) { known_.insert(actor); }
  void insert_held(ActorId actor) { held_.insert(actor); }
  /// By what the origin's database says, which is beyond doubt.
  void insert_own(ActorId actor) { own_.insert(actor); }
  [[nodiscard]] bool own(ActorId actor) const {
    return own_.contains(actor) || held_.contains(actor);
  }
  /// One that is known is judged by that; only of others the mark of a name tells.
  [[nodiscard]] bool contains(ActorId actor) const {
    if (own_.contains(actor)) return false;
    if (known_.contains(actor)) return true;
    return !held_.contains(actor) && fits_another(actor);
  }
  /// By chance it looks as if it was made for another origin, too.
  [[nodiscard]] bool fits_another(ActorId actor) const {
    return std::ranges::any_of(others_,
                               [&](const OriginName& name) { return actor.made_for(name); });
  }

 private:
  std::vector<OriginName> others_;
  std::set<ActorId> known_;  ///< other origins', as replicas say
  std::set<ActorId> held_;   ///< the origin's own, as replicas say
  std::set<ActorId> own_;    ///< as its database says
};

}  // namespace tributary
