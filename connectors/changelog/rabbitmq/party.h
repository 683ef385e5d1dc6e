/// Who talks to which broker about what: named by every message, so that a reader of a log knows
/// which user lacks which right where.
#pragma once

#include <string>

namespace tributary::rabbitmq {

struct Party {
  std::string broker;  ///< Address::label(): no credentials
  std::string vhost;
  std::string user;
  std::string stream;
  std::string role;  ///< what the connection is for: "writer", "reader", …
};

}  // namespace tributary::rabbitmq
