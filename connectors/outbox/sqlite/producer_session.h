/// A producer's session on a SQLite outbox. Link Tributary::outbox_store_sqlite.
#pragma once

#include <memory>
#include <string>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/outbox/producer_session.h"

namespace tributary::sqlite {

/// kFatal when the file is missing, kInvalid when `tributary topology apply` has not run.
[[nodiscard]] Result<std::unique_ptr<ProducerSession>> open_producer_session(const std::string& url,
                                                                             Millis busy = Millis{
                                                                                 5000});

}  // namespace tributary::sqlite
