/// What the broker in memory remembers. For changelog.cc only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "connectors/changelog/memory/changelog.h"

namespace tributary::memory {

struct Log {
  std::deque<ChangelogMessage> messages;
  std::uint64_t next_offset = 0;
  std::uint64_t incarnation = 0;  ///< a log deleted and declared again is another log
  bool misshapen = false;
};

struct Link {
  bool cut = false;
  bool hold_confirms = false;
  bool hold_deliveries = false;
  std::uint64_t generation = 0;  ///< raised by cut and drop: what was opened before is dead
  std::uint64_t go_back = 0;     ///< messages to deliver again, all told
  std::size_t seem_empty = 0;    ///< looks for a log's end that find none
  std::deque<PublishFault> publish_faults;
  std::set<OriginName> refused;  ///< logs the client may not touch
};

struct BrokerState {
  std::mutex mutex;  ///< guards everything below
  std::map<OriginName, Log> logs;
  std::map<std::string, Link> links;
  MemoryBroker::Watch watch;
  std::uint64_t incarnations = 0;
  std::size_t largest_message = 0;
  bool blocked = false;
  bool confirm_late = false;

  /// The client's link, unless it is down, was interrupted since `generation`, or may not be used
  /// for the origin's log.
  Result<Link*> link(const std::string& client, std::uint64_t generation,
                     const OriginName& origin) {
    Link& link = links[client];
    if (link.cut || link.generation != generation) {
      return fail(ErrorKind::kTransient, "memory broker: the link of " + client + " is down");
    }
    if (link.refused.contains(origin)) {
      return fail(ErrorKind::kFatal,
                  "memory broker: " + client + " may not use the log of " + origin.value);
    }
    return &link;
  }

  Result<Log*> log(const OriginName& origin) {
    const auto found = logs.find(origin);
    if (found == logs.end()) {
      return fail(ErrorKind::kTransient,
                  "memory broker: there is no log of " + origin.value + "; declare it");
    }
    if (found->second.misshapen) {
      return fail(ErrorKind::kInvalid,
                  "memory broker: what holds the log of " + origin.value +
                      " is no log; find out whose it is: the log is made once the name is free");
    }
    return &found->second;
  }
};

}  // namespace tributary::memory
