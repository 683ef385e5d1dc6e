#include "tests/laws/spec.h"

#include <map>
#include <string>

namespace tributary::laws {
namespace {

std::map<std::string, Spec, std::less<>>& specs() {
  static std::map<std::string, Spec, std::less<>> all;
  return all;
}

}  // namespace

SpecOf::SpecOf(std::string_view type, Spec spec) { specs().emplace(type, spec); }

Spec find_spec(std::string_view type) {
  const auto found = specs().find(type);
  return found == specs().end() ? nullptr : found->second;
}

}  // namespace tributary::laws
