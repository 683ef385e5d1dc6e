#include "connectors/changelog/rabbitmq/changelog.h"

#include <mutex>
#include <set>

#include "connectors/changelog/rabbitmq/address.h"
#include "connectors/changelog/rabbitmq/connection.h"
#include "connectors/changelog/rabbitmq/reader.h"
#include "connectors/changelog/rabbitmq/stream.h"
#include "connectors/changelog/rabbitmq/tail.h"
#include "connectors/changelog/rabbitmq/writer.h"

namespace tributary::rabbitmq {

namespace {

/// Holds no connection, so any thread may call it.
///
/// Declares passively first: so a relay without the configure permission works on streams that an
/// operator made, and a stream keeps the limits it has (a declaration with others would be
/// refused).
class StreamChangelog final : public Changelog {
 public:
  explicit StreamChangelog(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  Result<Declared> declare(const OriginName& origin) override {
    const std::string stream = stream_name(origin);
    TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint_, "declare", stream));
    TRIBUTARY_ASSIGN(const bool there, exists(*connection, stream));
    if (!there) return make(stream);
    if (is_known(stream)) return Declared::kThere;
    TRIBUTARY_ASSIGN(const Declared declared, compare(*connection, stream));
    remember(stream);
    return declared;
  }

  Result<std::unique_ptr<ChangelogWriter>> open_writer(const OriginName& origin) override {
    return StreamWriter::open(endpoint_, stream_name(origin));
  }

  Result<std::unique_ptr<ChangelogReader>> open_reader(const OriginName& origin,
                                                       std::optional<Offset> after) override {
    return StreamReader::open(endpoint_, stream_name(origin), after);
  }

  Result<std::optional<ChangelogMessage>> last(const OriginName& origin) override {
    return read_tail(endpoint_, stream_name(origin));
  }

 private:
  Result<Declared> make(const std::string& stream) {
    TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint_, "declare", stream));
    TRIBUTARY_TRY(declare_stream(*connection, endpoint_, stream));
    remember(stream);
    return Declared::kMade;
  }

  /// What is there is a stream, made with our limits or others.
  Result<Declared> compare(Connection& connection, const std::string& stream) {
    const auto same = declare_stream(connection, endpoint_, stream);
    if (same) return Declared::kThere;
    const ErrorKind kind = same.error().kind;
    if (kind != ErrorKind::kInvalid && kind != ErrorKind::kFatal) return fail(same.error());
    TRIBUTARY_ASSIGN(const auto another, Connection::open(endpoint_, "declare", stream));
    TRIBUTARY_TRY(demand_stream(*another, stream));
    return kind == ErrorKind::kInvalid ? Declared::kThereWithOtherLimits : Declared::kThere;
  }

  bool is_known(const std::string& stream) const {
    const std::scoped_lock lock(mutex_);
    return known_.contains(stream);
  }
  void remember(const std::string& stream) {
    const std::scoped_lock lock(mutex_);
    known_.insert(stream);
  }

  const Endpoint endpoint_;
  mutable std::mutex mutex_;
  /// What has proven to be a stream is not compared again at every reconnect: where a right is
  /// missing, each comparison is an error in the broker's log.
  std::set<std::string> known_;
};

}  // namespace

std::string stream_name(const OriginName& origin) { return "tributary." + origin.value; }

Result<std::unique_ptr<Changelog>> make_changelog(const Endpoint& endpoint) {
  TRIBUTARY_TRY(parse_address(endpoint));
  return std::make_unique<StreamChangelog>(endpoint);
}

}  // namespace tributary::rabbitmq
