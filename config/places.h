/// Parses regions and origins: names, addresses and credentials. Private to config.
#pragma once

#include "config/reader.h"
#include "config/topology.h"

namespace tributary::config {

/// Takes `regions` and `origins` from the file's top mapping, and checks that regions which
/// origins and url_from name are there. topology.allow_inline_passwords must be set before.
void parse_places(Mapping& top, Topology& topology);

}  // namespace tributary::config
