#include "connectors/replica/memory/replica_disk.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <tributary/base/bytes.h>

#include "base/check.h"

namespace tributary {
namespace {

using crdt::ViewEdit;
using crdt::ViewKind;

double number(const std::string& score) {
  char* end = nullptr;
  const double value = std::strtod(score.c_str(), &end);
  CHECK(!score.empty() && end == score.c_str() + score.size() && !std::isnan(value));
  return value;
}

/// The shortest text of a score, as Redis answers it: "1.50" and "1.5" are one score.
std::string canonical(const std::string& score) {
  const double value = number(score);
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  std::snprintf(text, sizeof(text), "%.17g", value);
  return text;
}

/// Carries out what leaves the view there.
struct Editor {
  MemoryView& view;

  void operator()(const crdt::SetString& edit) const { view.string = edit.value; }
  void operator()(const crdt::AddMember& edit) const { view.members.insert(edit.member); }
  void operator()(const crdt::PutField& edit) const { view.fields[edit.field] = edit.value; }
  void operator()(const crdt::PutScore& edit) const {
    view.fields[edit.member] = canonical(edit.score);
  }
  void operator()(const crdt::Append& edit) const { view.list.push_back(edit.value); }
  void operator()(const crdt::Remove& edit) const {
    view.members.erase(edit.name);
    view.fields.erase(edit.name);
  }
  void operator()(const crdt::DropView& /*edit*/) const {}
};

/// Printable, and different for different bytes.
std::string shown(std::string_view bytes) {
  std::string out = "\"";
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code > 0x20 && code < 0x7f && byte != '"' && byte != '\\') out.push_back(byte);
    else out.append("\\x").append(hex_of({&byte, 1}));
  }
  return out + '"';
}

}  // namespace

std::size_t MemoryView::size() const {
  return kind == ViewKind::kString ? 1 : members.size() + fields.size() + list.size();
}

bool MemoryView::gone() const { return size() == 0; }

std::vector<std::pair<std::string, std::string>> MemoryView::values() const {
  std::vector<std::pair<std::string, std::string>> values;
  if (kind == ViewKind::kString) values.emplace_back("", string);
  for (const std::string& member : members) values.emplace_back(member, "");
  for (const auto& field : fields) values.push_back(field);
  for (const std::string& each : list) values.emplace_back("", each);
  if (kind == ViewKind::kSortedSet) {
    std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) {
      return number(a.second) < number(b.second);
    });
  }
  return values;
}

void apply(ReplicaDisk& disk, std::string_view key, ViewKind kind, const crdt::ViewEdits& edits) {
  if (edits.empty()) return;
  const std::string name(key);
  for (const ViewEdit& edit : edits) {
    CHECK(crdt::fits(edit, kind));
    if (crdt::drops(edit)) {
      disk.views.erase(name);
      continue;
    }
    const auto view = disk.views.try_emplace(name, kind).first;
    CHECK(view->second.kind == kind);
    std::visit(Editor{view->second}, edit);
    if (view->second.gone()) disk.views.erase(view);
  }
}

std::string dump(const ReplicaDisk& disk) {
  std::string out;
  for (const auto& [key, state] : disk.states) {
    out.append("state ").append(shown(key)).append(" ").append(state.type).append(state.stray);
    for (const auto& [name, value] : state.fields) {
      out.append(" ").append(shown(name)).append("=").append(shown(value));
    }
    out.push_back('\n');
  }
  for (const auto& [key, view] : disk.views) {
    out.append("view ").append(shown(key)).append(" ").append(crdt::to_string(view.kind));
    for (const auto& [name, value] : view.values()) {
      out.append(" ").append(shown(name)).append("=").append(shown(value));
    }
    out.push_back('\n');
  }
  return out;
}

}  // namespace tributary
