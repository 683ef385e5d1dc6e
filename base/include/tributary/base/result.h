/// Expected failures as return values. The kind of an error names what the caller does about it.
/// Not for: a programmer's mistake (CHECK in check.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace tributary {

enum class ErrorKind {
  kTransient,  ///< the outside world said no for a while: back off and retry
  kConflict,   ///< somebody else was first: reload and retry
  kPoison,     ///< these bytes or this change can never work: park it and go on
  kInvalid,    ///< the caller's input is wrong: tell the user, change nothing
  kFatal,      ///< this process cannot go on: exit non-zero, the supervisor restarts us
};

[[nodiscard]] std::string_view to_string(ErrorKind kind);

/// Message says what, where, and what to do about it.
struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kFatal;
  std::string message;

  /// The same error with "where: " put in front of the message.
  [[nodiscard]] Error in(std::string_view where) const;
};

/// A value, or why there is none. As a type of its own it may not be ignored: tl::expected lacks
/// the attribute.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result() = default;
  Result(
      tl::expected<T, Error> other)  // NOLINT(google-explicit-constructor): of map() and the like
      : tl::expected<T, Error>(std::move(other)) {}
};

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::make_unexpected(Error{kind, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::make_unexpected(std::move(error));
}

}  // namespace tributary

/// Evaluates `expression` (a Result); on failure returns its error from the enclosing function.
#define TRIBUTARY_TRY(expression)                               \
  do {                                                          \
    if (auto try_result_ = (expression); !try_result_)          \
      return ::tributary::fail(std::move(try_result_).error()); \
  } while (false)

#define TRIBUTARY_CONCAT_INNER(a, b) a##b
#define TRIBUTARY_CONCAT(a, b) TRIBUTARY_CONCAT_INNER(a, b)

/// `TRIBUTARY_ASSIGN(auto x, f());` declares x from the value of a Result, or returns its error.
#define TRIBUTARY_ASSIGN(declaration, expression)                                            \
  auto TRIBUTARY_CONCAT(assign_result_, __LINE__) = (expression);                            \
  if (!TRIBUTARY_CONCAT(assign_result_, __LINE__))                                           \
    return ::tributary::fail(std::move(TRIBUTARY_CONCAT(assign_result_, __LINE__)).error()); \
  declaration = std::move(*TRIBUTARY_CONCAT(assign_result_, __LINE__))
