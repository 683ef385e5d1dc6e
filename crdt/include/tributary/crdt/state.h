/// The part of one key's CRDT state that a delta touches: named byte fields, edited in place.
/// The state of a key is decomposed into fields so that a delta on a set of a million elements
/// loads and writes only the elements it names.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::crdt {

/// Which fields to load: the named ones, or all there are.
struct FieldSelection {
  bool all = false;
  std::vector<std::string> names;
};

/// Fields in name order. A field that was loaded and does not exist has no value; reading a field
/// that was not loaded is a programmer's mistake. Not thread-safe.
class State {
 public:
  struct Field {
    std::string name;
    std::optional<std::string> value;
    bool changed = false;
  };

  /// The answer to `selection`: `values` stand in the order of selection.names; with
  /// selection.all any fields may follow by load().
  State() = default;
  /// All fields count as loaded from now on, the absent ones as empty.
  void set_complete() { complete_ = true; }
  [[nodiscard]] bool complete() const { return complete_; }
  /// Makes room for that many fields.
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  /// Adds fields as loaded, unchanged. Call settle() after the last.
  void load(std::string name, std::optional<std::string> value);
  /// Sorts what load() added and drops duplicates.
  void settle();
  [[nodiscard]] bool loaded(std::string_view name) const;

  /// The value, or nullptr when the field does not exist.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  void set(std::string_view name, std::string value);
  void erase(std::string_view name);
  void mark_unchanged();

  /// Valid until the next set().
  [[nodiscard]] const std::vector<Field>& fields() const;

 private:
  /// nullptr when it was never loaded or set.
  [[nodiscard]] const Field* at(std::string_view name) const;
  [[nodiscard]] Field* at(std::string_view name);

  // What set() adds to a complete state waits in `added_` until somebody looks at all fields, for
  // inserting into a sorted vector one by one takes quadratic time.
  mutable std::vector<Field> fields_;
  mutable std::map<std::string, Field, std::less<>> added_;
  bool complete_ = false;
};

}  // namespace tributary::crdt
