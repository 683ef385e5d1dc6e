#include <algorithm>
#include <utility>

#include "base/check.h"
#include "connectors/changelog/memory/broker_state.h"

namespace tributary::memory {

namespace {

using Lock = std::lock_guard<std::mutex>;

class Writer final : public ChangelogWriter {
 public:
  Writer(std::shared_ptr<BrokerState> state, std::string client, OriginName origin,
         std::uint64_t generation)
      : state_(std::move(state)),
        client_(std::move(client)),
        origin_(std::move(origin)),
        generation_(generation) {}

  Result<void> publish(std::uint64_t tag, std::string_view bytes) override {
    const Lock lock(state_->mutex);
    CHECK(tag > last_tag_);
    last_tag_ = tag;
    TRIBUTARY_ASSIGN(Link * link, state_->link(client_, generation_, origin_));
    if (state_->blocked) return fail(ErrorKind::kTransient, "memory broker: blocks publishers");
    std::optional<PublishFault> fault;
    if (!link->publish_faults.empty()) {
      fault = link->publish_faults.front();
      link->publish_faults.pop_front();
    }
    const auto log = state_->log(origin_);
    if (!log && !fault) fault = PublishFault::kReturned;
    const bool too_large = state_->largest_message > 0 && bytes.size() > state_->largest_message;
    if (too_large) too_large_ = true;
    if (too_large_) return {};
    if (log && (!fault || fault == PublishFault::kLostAfter)) {
      const Offset offset{(*log)->next_offset++};
      (*log)->messages.push_back({offset, std::string(bytes)});
      if (state_->watch) state_->watch(origin_, bytes);
    }
    if (!fault) stored_through_ = refused_ ? stored_through_ : tag;
    if (fault == PublishFault::kLostBefore || fault == PublishFault::kLostAfter) ++link->generation;
    if (fault == PublishFault::kReturned) refused_ = "returned: not sent";
    if (fault == PublishFault::kNacked) refused_ = "nacked: not sent";
    return {};
  }

  Result<std::uint64_t> confirmed(Millis /*wait*/) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_ASSIGN(const Link* link, state_->link(client_, generation_, origin_));
    if (refused_) return fail(ErrorKind::kTransient, std::string("memory broker: ") + refused_);
    if (too_large_) return fail(ErrorKind::kInvalid, "memory broker: the message is too large");
    if (!link->hold_confirms) {
      confirmed_through_ = state_->confirm_late ? on_its_way_ : stored_through_;
      on_its_way_ = stored_through_;
    }
    return confirmed_through_;
  }

  [[nodiscard]] bool blocked() const override {
    const Lock lock(state_->mutex);
    return state_->blocked;
  }

 private:
  std::shared_ptr<BrokerState> state_;
  std::string client_;
  OriginName origin_;
  std::uint64_t generation_;
  std::uint64_t last_tag_ = 0;
  std::uint64_t stored_through_ = 0;
  std::uint64_t on_its_way_ = 0;  ///< the confirm that has not arrived yet
  std::uint64_t confirmed_through_ = 0;
  const char* refused_ = nullptr;
  bool too_large_ = false;
};

bool before(const ChangelogMessage& message, std::uint64_t offset) {
  return message.offset.value < offset;
}

class Reader final : public ChangelogReader {
 public:
  Reader(std::shared_ptr<BrokerState> state, std::string client, OriginName origin,
         const Link& link, const Log& log, std::uint64_t next_offset)
      : state_(std::move(state)),
        client_(std::move(client)),
        origin_(std::move(origin)),
        generation_(link.generation),
        incarnation_(log.incarnation),
        gone_back_(link.go_back),
        next_offset_(next_offset) {}

  Result<std::optional<ChangelogMessage>> next(Millis /*wait*/) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_ASSIGN(const Link* link, state_->link(client_, generation_, origin_));
    TRIBUTARY_ASSIGN(const Log* log, state_->log(origin_));
    if (log->incarnation != incarnation_) {
      return fail(ErrorKind::kTransient,
                  "memory broker: the log of " + origin_.value + " was deleted");
    }
    if (link->hold_deliveries) return std::nullopt;
    const auto& messages = log->messages;
    auto at = std::lower_bound(messages.begin(), messages.end(), next_offset_, before);
    const auto back = static_cast<std::ptrdiff_t>(link->go_back - gone_back_);
    gone_back_ = link->go_back;
    at -= std::min(back, at - messages.begin());
    if (at == messages.end()) return std::nullopt;
    next_offset_ = at->offset.value + 1;
    return *at;
  }

 private:
  std::shared_ptr<BrokerState> state_;
  std::string client_;
  OriginName origin_;
  std::uint64_t generation_;
  std::uint64_t incarnation_;
  std::uint64_t gone_back_;
  std::uint64_t next_offset_;
};

class Session final : public Changelog {
 public:
  Session(std::shared_ptr<BrokerState> state, std::string client)
      : state_(std::move(state)), client_(std::move(client)) {}

  Result<Declared> declare(const OriginName& origin) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_TRY(reach(origin));
    const auto [at, made] = state_->logs.try_emplace(origin);
    if (made) at->second.incarnation = ++state_->incarnations;
    TRIBUTARY_TRY(state_->log(origin));
    return made ? Declared::kMade : Declared::kThere;
  }

  Result<std::unique_ptr<ChangelogWriter>> open_writer(const OriginName& origin) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_ASSIGN(const Link* link, reach(origin));
    return std::make_unique<Writer>(state_, client_, origin, link->generation);
  }

  Result<std::unique_ptr<ChangelogReader>> open_reader(const OriginName& origin,
                                                       std::optional<Offset> after) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_ASSIGN(const Link* link, reach(origin));
    TRIBUTARY_ASSIGN(const Log* log, state_->log(origin));
    const bool within = after && after->value < log->next_offset;
    return std::make_unique<Reader>(state_, client_, origin, *link, *log,
                                    within ? after->value + 1 : 0);
  }

  Result<std::optional<ChangelogMessage>> last(const OriginName& origin) override {
    const Lock lock(state_->mutex);
    TRIBUTARY_ASSIGN(Link * link, reach(origin));
    TRIBUTARY_ASSIGN(const Log* log, state_->log(origin));
    if (log->messages.empty()) return std::nullopt;
    if (link->seem_empty > 0) {
      --link->seem_empty;
      return std::nullopt;
    }
    return log->messages.back();
  }

 private:
  Result<Link*> reach(const OriginName& origin) {
    return state_->link(client_, state_->links[client_].generation, origin);
  }

  std::shared_ptr<BrokerState> state_;
  std::string client_;
};

}  // namespace

MemoryBroker::MemoryBroker() : state_(std::make_shared<BrokerState>()) {}

std::unique_ptr<Changelog> MemoryBroker::session(std::string client) {
  return std::make_unique<Session>(state_, std::move(client));
}

void MemoryBroker::delete_log(const OriginName& origin) {
  const Lock lock(state_->mutex);
  state_->logs.erase(origin);
}

void MemoryBroker::truncate(const OriginName& origin, std::size_t keep) {
  const Lock lock(state_->mutex);
  const auto found = state_->logs.find(origin);
  if (found == state_->logs.end()) return;
  auto& messages = found->second.messages;
  while (messages.size() > keep) messages.pop_front();
}

void MemoryBroker::misshape(const OriginName& origin) {
  const Lock lock(state_->mutex);
  Log log;
  log.misshapen = true;
  log.incarnation = ++state_->incarnations;
  state_->logs[origin] = std::move(log);
}

void MemoryBroker::watch(Watch watch) {
  const Lock lock(state_->mutex);
  state_->watch = std::move(watch);
}

std::vector<ChangelogMessage> MemoryBroker::messages(const OriginName& origin) const {
  const Lock lock(state_->mutex);
  const auto found = state_->logs.find(origin);
  if (found == state_->logs.end()) return {};
  return {found->second.messages.begin(), found->second.messages.end()};
}

void MemoryBroker::cut(const std::string& client) {
  const Lock lock(state_->mutex);
  Link& link = state_->links[client];
  link.cut = true;
  ++link.generation;
}

void MemoryBroker::heal(const std::string& client) {
  const Lock lock(state_->mutex);
  state_->links[client].cut = false;
}

void MemoryBroker::drop(const std::string& client) {
  const Lock lock(state_->mutex);
  ++state_->links[client].generation;
}

void MemoryBroker::refuse(const std::string& client, const OriginName& origin, bool refused) {
  const Lock lock(state_->mutex);
  auto& refusals = state_->links[client].refused;
  if (refused) {
    refusals.insert(origin);
  } else {
    refusals.erase(origin);
  }
}

void MemoryBroker::limit_message_bytes(std::size_t largest) {
  const Lock lock(state_->mutex);
  state_->largest_message = largest;
}

void MemoryBroker::fail_publish(const std::string& client, PublishFault fault) {
  const Lock lock(state_->mutex);
  state_->links[client].publish_faults.push_back(fault);
}

void MemoryBroker::hold_confirms(const std::string& client, bool hold) {
  const Lock lock(state_->mutex);
  state_->links[client].hold_confirms = hold;
}

void MemoryBroker::confirm_late(bool late) {
  const Lock lock(state_->mutex);
  state_->confirm_late = late;
}

void MemoryBroker::hold_deliveries(const std::string& client, bool hold) {
  const Lock lock(state_->mutex);
  state_->links[client].hold_deliveries = hold;
}

void MemoryBroker::deliver_again(const std::string& client, std::size_t count) {
  const Lock lock(state_->mutex);
  state_->links[client].go_back += count;
}

void MemoryBroker::seem_empty(const std::string& client, std::size_t count) {
  const Lock lock(state_->mutex);
  state_->links[client].seem_empty += count;
}

void MemoryBroker::block(bool blocked) {
  const Lock lock(state_->mutex);
  state_->blocked = blocked;
}

}  // namespace tributary::memory
