/// The list of types. Each is defined in its own file pair beside this one.
#include <array>

#include <tributary/crdt/type.h>

namespace tributary::crdt {

extern const Type kCounter;
extern const Type kRegister;
extern const Type kSet;

namespace {

constexpr std::array kTypes{&kCounter, &kRegister, &kSet};

}  // namespace

std::span<const Type* const> types() { return kTypes; }

const Type* find_type(std::string_view name) {
  for (const Type* type : kTypes) {
    if (type->name == name) return type;
  }
  return nullptr;
}

const Operation* find_operation(const Type& type, std::string_view name) {
  for (const Operation& operation : type.operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace tributary::crdt
