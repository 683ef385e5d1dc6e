/// Certificates and keys that a topology names: which, and whether they can be read here. Private
/// to config, but for check_files() in topology.h.
#pragma once

#include <vector>

#include "config/reader.h"
#include "config/topology.h"
#include "config/url.h"

namespace tributary::config {

/// Of a broker's tls section.
void add_tls_files(Mapping& tls, const Tls& named, std::vector<NamedFile>& out);
/// Of a PostgreSQL URL that stands at `key`.
void add_libpq_files(Mapping& mapping, std::string_view key, const Url& url,
                     std::vector<NamedFile>& out);

}  // namespace tributary::config
