/// A view as a client would read it, kept by carrying out edits one by one.
#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tributary/crdt/view.h>

namespace tributary::laws {

/// Which part is used depends on the kind: `text` for a string, `list` for a list, `members` for
/// the others (a set's members have empty values).
struct View {
  std::optional<std::string> text = std::nullopt;
  std::map<std::string, std::string> members = {};
  std::vector<std::string> list = {};
  bool operator==(const View&) const = default;
};

/// Carries out `edits` in order. Throws Broken for an edit that makes no sense for the kind.
void carry_out(View& view, crdt::ViewKind kind, const crdt::ViewEdits& edits);

std::ostream& operator<<(std::ostream& out, const View& view);

}  // namespace tributary::laws
