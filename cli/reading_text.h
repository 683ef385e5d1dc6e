/// What `tributary read` prints. Values may be any bytes: they are shown whole, on one line, and
/// two different values never look the same.
#pragma once

#include <string>

#include <tributary/base/ids.h>

#include "connectors/replica/replica_store.h"

namespace tributary::cli {

/// Three lines. A value is bare when it is plain text, else in quotes with \n, \t, \xNN (a byte),
/// \u00NN, \" and \\.
[[nodiscard]] std::string as_text(const KeyReading& reading);

/// One line. A text is a JSON string; bytes that are not UTF-8 are {"base64": "…"}, and a hash with
/// such a field name is a list of [name, value].
[[nodiscard]] std::string as_json(const std::string& key, const RegionName& region,
                                  const KeyReading& reading);

}  // namespace tributary::cli
