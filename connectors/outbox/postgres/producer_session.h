/// A producer's session on a PostgreSQL outbox. Link Tributary::outbox_store_postgres.
#pragma once

#include <memory>
#include <string>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/outbox/producer_session.h"

namespace tributary::postgres {

/// kInvalid when `tributary topology apply` has not run, kTransient when the server is away.
[[nodiscard]] Result<std::unique_ptr<ProducerSession>> open_producer_session(
    const std::string& url, Millis deadline = Millis{5000});

}  // namespace tributary::postgres
