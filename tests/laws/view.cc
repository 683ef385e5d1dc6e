#include "tests/laws/view.h"

#include <ostream>

#include "tests/laws/law.h"

namespace tributary::laws {
namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

void put(View& view, ViewKind kind, const crdt::ViewEntry& entry) {
  const std::string value(entry.value);
  switch (kind) {
    case ViewKind::kString: view.text = value; break;
    case ViewKind::kList: view.list.push_back(value); break;
    case ViewKind::kSet:
    case ViewKind::kHash:
    case ViewKind::kSortedSet: view.members[std::string(entry.name)] = value; break;
  }
}

}  // namespace

void carry_out(View& view, ViewKind kind, const crdt::ViewEdits& edits) {
  for (const ViewEdit& edit : edits) {
    require(crdt::fits(edit, kind), "an edit is not one of the view's kind");
    if (const auto entry = crdt::entry_of(edit)) put(view, kind, *entry);
    else if (crdt::drops(edit)) view = View{};
    else view.members.erase(std::get<crdt::Remove>(edit).name);
  }
}

std::ostream& operator<<(std::ostream& out, const View& view) {
  if (view.text) out << '"' << *view.text << '"';
  for (const auto& [member, value] : view.members) {
    out << " \"" << member << '"';
    if (!value.empty()) out << "=\"" << value << '"';
  }
  for (const std::string& item : view.list) out << " \"" << item << '"';
  return out;
}

}  // namespace tributary::laws
