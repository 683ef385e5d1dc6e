#include <tributary/base/result.h>

namespace tributary {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient: return "transient";
    case ErrorKind::kConflict: return "conflict";
    case ErrorKind::kPoison: return "poison";
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kFatal: return "fatal";
  }
  return "unknown";
}

Error Error::in(std::string_view where) const {
  return Error{kind, std::string(where) + ": " + message};
}

}  // namespace tributary
