#include "tests/simulation/traits.h"

#include <initializer_list>
#include <utility>

namespace tributary::simulation {

Traits::Traits(Dice& dice) {
  const double share = dice.chance(0.2) ? 0 : dice.chance(0.5) ? 0.2 : 0.4;
  default_settings = dice.chance(0.25);
  skew = dice.chance(share);
  restores = dice.chance(share + 0.1);
  log_losses = dice.chance(share / 2);
  forgeries = dice.chance(share);
  replica_losses = dice.chance(0.5);
  tampering = dice.chance(share);
  roll_out = dice.chance(share);
  disagreement = dice.chance(share / 2);
  broken_origin = dice.chance(share / 2);
  absent_replica = dice.chance(share / 2);
  slow_links = dice.chance(share + 0.1);
  parking = dice.chance(share + 0.1);
}

std::string Traits::names() const {
  std::string names;
  const std::initializer_list<std::pair<bool, const char*>> all = {
      {default_settings, "default settings"},
      {skew, "skew"},
      {restores, "restores"},
      {log_losses, "log losses"},
      {replica_losses, "replica losses"},
      {tampering, "tampering"},
      {forgeries, "forgeries"},
      {parking, "parking"},
      {roll_out, "roll-out"},
      {disagreement, "disagreement"},
      {broken_origin, "broken origin"},
      {slow_links, "slow links"},
      {absent_replica, "absent replica"}};
  for (const auto& [has, name] : all) {
    if (!has) continue;
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

}  // namespace tributary::simulation
