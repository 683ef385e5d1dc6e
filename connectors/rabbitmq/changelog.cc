#include <tributary/connectors/rabbitmq/address.h>
#include <tributary/connectors/rabbitmq/changelog.h>
#include <tributary/connectors/rabbitmq/connection.h>
#include <tributary/connectors/rabbitmq/reader.h>
#include <tributary/connectors/rabbitmq/stream.h>
#include <tributary/connectors/rabbitmq/tail.h>
#include <tributary/connectors/rabbitmq/writer.h>

namespace tributary::rabbitmq {

namespace {

/// Holds no connection, so any thread may call it.
class StreamChangelog final : public Changelog {
 public:
  explicit StreamChangelog(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  Result<void> declare(const OriginName& origin) override {
    const std::string stream = stream_name(origin);
    TRIBUTARY_ASSIGN(const auto connection,
                     Connection::open(endpoint_, "tributary declare " + stream));
    return declare_stream(*connection, endpoint_, stream);
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
  Endpoint endpoint_;
};

}  // namespace

std::string stream_name(const OriginName& origin) { return "tributary." + origin.value; }

Result<std::unique_ptr<Changelog>> make_changelog(const Endpoint& endpoint) {
  TRIBUTARY_TRY(parse_address(endpoint));
  return std::make_unique<StreamChangelog>(endpoint);
}

}  // namespace tributary::rabbitmq
