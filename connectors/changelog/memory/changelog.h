/// The changelog port in memory, and a broker that misbehaves on request: for the simulation and
/// the conformance suite. Not for: production; nothing here survives the process.
///
/// Time does not pass here: next() and confirmed() answer at once whatever `wait` says, so the
/// simulation can run them under a virtual clock. Everything is deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/changelog/changelog.h"

namespace tributary::memory {

/// What becomes of one publish. In the first two, publish() itself reports success, as the first
/// publish on a dead link does, and the next call on the writer is an error.
enum class PublishFault {
  kLostBefore,  ///< the link dies before the message reached the log
  kLostAfter,   ///< the link dies after the message reached the log, before its confirm
  kReturned,    ///< unroutable: not stored, confirmed() fails
  kNacked,      ///< refused: not stored, confirmed() fails
};

struct BrokerState;

/// The "disk": logs by origin, and the faults in force. Copies share one broker. Any thread.
class MemoryBroker {
 public:
  MemoryBroker();

  /// A client's access. `client` names its link for the faults below; sessions of one name share
  /// it.
  [[nodiscard]] std::unique_ptr<Changelog> session(std::string client);

  // What an operator or a disaster does to a log. A missing log is left missing.
  void delete_log(const OriginName& origin);  ///< its readers and writers fail from now on
  void truncate(const OriginName& origin, std::size_t keep);  ///< forgets all but the newest `keep`
  void misshape(const OriginName& origin);  ///< puts something in its place that is no log
  /// The messages kept, oldest first.
  [[nodiscard]] std::vector<ChangelogMessage> messages(const OriginName& origin) const;

  /// Told of every message when it reaches a log. It must not call the broker.
  using Watch = std::function<void(const OriginName&, std::string_view bytes)>;
  void watch(Watch watch);

  // What happens to a link.
  void cut(const std::string& client);  ///< every call fails until heal(); what was open is dead
  void heal(const std::string& client);
  void drop(const std::string& client);  ///< what was open is dead; opening again works
  /// The client may not touch the origin's log: every call on it is kFatal, until allowed again.
  void refuse(const std::string& client, const OriginName& origin, bool refused);
  void fail_publish(const std::string& client,
                    PublishFault fault);  ///< the next one; they queue up
  void hold_confirms(const std::string& client, bool hold);
  void hold_deliveries(const std::string& client, bool hold);
  /// Each open reader of the client goes back `count` messages, as far as there are any.
  void deliver_again(const std::string& client, std::size_t count);
  /// The next `count` times that the client asks for a log's last message, the log seems empty.
  void seem_empty(const std::string& client, std::size_t count);

  /// A longer message is not stored, and confirmed() is kInvalid after it. 0: no limit.
  void limit_message_bytes(std::size_t largest);
  /// Confirms take their time, as over a network: confirmed() tells what was stored when it was
  /// asked before. Else it tells at once.
  void confirm_late(bool late);
  /// connection.blocked for every writer: what is published meanwhile fails as timed out.
  void block(bool blocked);

 private:
  std::shared_ptr<BrokerState> state_;
};

}  // namespace tributary::memory
