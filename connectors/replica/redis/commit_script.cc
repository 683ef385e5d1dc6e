#include "connectors/replica/redis/commit_script.h"

#include "connectors/replica/redis/commit.lua.h"

namespace tributary::redis {

const std::string& commit_script() {
  static const std::string script(embedded::kCommitLua);
  return script;
}

}  // namespace tributary::redis
