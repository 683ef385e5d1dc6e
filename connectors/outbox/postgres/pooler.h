/// A relay's session cannot live behind a connection pooler: the lease, the settings and the
/// prepared statements belong to one server process, and a pooler hands out others.
#pragma once

#include <tributary/base/result.h>

#include "connectors/outbox/postgres/errors.h"

namespace tributary::postgres {

/// kFatal: what to do.
[[nodiscard]] Error pooled();

/// The server process behind `connection`, or pooled() when it is not the one that the connection
/// was opened to, or does not have the session's settings. Takes no lock, prepares nothing.
[[nodiscard]] Result<int> check_direct(PGconn* connection);

}  // namespace tributary::postgres
