/// Waiting that ends early when a stop is asked for.
#pragma once

#include <stop_token>

#include "base/clock.h"

namespace tributary {

/// Returns after `wait`, or as soon as `stop` is requested.
void sleep_unless_stopped(Millis wait, std::stop_token stop);

}  // namespace tributary
