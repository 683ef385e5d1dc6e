#include "tests/laws/view.h"

#include <ostream>

#include "tests/laws/law.h"

namespace tributary::laws {
namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

void put(View& view, ViewKind kind, const ViewEdit& edit) {
  switch (kind) {
    case ViewKind::kString: view.text = edit.value; break;
    case ViewKind::kList: view.list.push_back(edit.value); break;
    case ViewKind::kSet:
    case ViewKind::kHash:
    case ViewKind::kSortedSet: view.members[edit.member] = edit.value; break;
  }
}

}  // namespace

void carry_out(View& view, ViewKind kind, const crdt::ViewEdits& edits) {
  for (const ViewEdit& edit : edits) {
    if (edit.action == ViewEdit::Action::kPut) {
      put(view, kind, edit);
    } else if (edit.action == ViewEdit::Action::kClear) {
      view = View{};
    } else {
      require(kind != ViewKind::kString && kind != ViewKind::kList,
              "an edit removes a member of a view that has none");
      view.members.erase(edit.member);
    }
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
