/// The floor under the pipeline: what PostgreSQL, RabbitMQ and Redis need to move the same rows
/// when nothing is sealed, joined, checked or deleted. Three threads run at once, as the three
/// daemons do:
///
///   publisher  reads all rows by one binary COPY and publishes them, packed into 64 KiB messages,
///   to
///              one stream with confirms and a bounded window;
///   consumer   (one per region) reads that stream and, for every row, sends one HSET and one SET
///   to
///              its Redis, pipelined.
///
/// Not for: correctness. Rows are not deleted, changes to one key are not joined, nothing survives
/// a crash, and a reader sees halves of transactions.
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <deque>
#include <stdexcept>
#include <thread>

#include <CLI/CLI.hpp>

#include "bench/redis_link.h"
#include "bench/rows.h"
#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::bench {
namespace {

constexpr std::size_t kMessageBytes = 64 * 1024;
constexpr std::uint64_t kWindow = 64;    // messages without a confirm
constexpr std::size_t kRedisWindow = 4;  // messages whose answers are outstanding
constexpr Millis kWait{100};
constexpr std::chrono::seconds kPatience{60};

struct Options {
  std::string database;
  std::string table = "bench_rows";
  std::string broker;
  std::string stream = "bench_floor";
  std::vector<std::string> replicas;
  std::uint64_t rows = 0;
};

/// What one thread did, for the report.
struct Share {
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
};

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double thread_cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

class Publisher {
 public:
  Publisher(const Options& options, Changelog& changelog, const OriginName& stream)
      : rows_(options.database, options.table), writer_(must(changelog.open_writer(stream))) {}

  Share run() {
    Share share;
    std::string message;
    message.reserve(2 * kMessageBytes);
    rows_.start();
    while (rows_.next(message)) {
      if (message.size() < kMessageBytes) continue;
      publish(message, share);
      message.clear();
    }
    if (!message.empty()) publish(message, share);
    wait_until(share.messages);
    return share;
  }

 private:
  void publish(const std::string& message, Share& share) {
    must(writer_->publish(++share.messages, message));
    share.bytes += message.size();
    if (share.messages > confirmed_ + kWindow) wait_until(share.messages - kWindow);
  }

  void wait_until(std::uint64_t tag) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (confirmed_ < tag) {
      confirmed_ = must(writer_->confirmed(kWait));
      if (std::chrono::steady_clock::now() > deadline) {
        throw std::runtime_error("the broker confirmed nothing for a minute");
      }
    }
  }

  RowSource rows_;
  std::unique_ptr<ChangelogWriter> writer_;
  std::uint64_t confirmed_ = 0;
};

class Consumer {
 public:
  Consumer(const std::string& replica, std::uint64_t rows, Changelog& changelog,
           const OriginName& stream)
      : redis_(replica), rows_(rows), reader_(must(changelog.open_reader(stream, std::nullopt))) {}

  Share run() {
    Share share;
    auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (std::uint64_t seen = 0; seen < rows_;) {
      const auto message = must(reader_->next(kWait));
      const auto now = std::chrono::steady_clock::now();
      if (message) deadline = now + kPatience;
      else if (now > deadline) throw std::runtime_error("the stream went silent");
      if (!message) continue;
      seen += write(message->bytes);
      share.bytes += message->bytes.size();
      share.messages += 1;
    }
    answered_down_to(0);
    return share;
  }

 private:
  std::uint64_t write(std::string_view bytes) {
    std::uint64_t count = 0;
    commands_.clear();
    for (; auto row = take_row(bytes); ++count) {
      append_head(commands_, 4);
      append_word(commands_, "HSET");
      state_.assign("tributary:{").append(row->key).push_back('}');
      append_word(commands_, state_);
      append_word(commands_, "v");
      append_word(commands_, row->value);
      append_head(commands_, 3);
      append_word(commands_, "SET");
      append_word(commands_, row->key);
      append_word(commands_, row->value);
    }
    redis_.send(commands_);
    unanswered_.push_back(2 * count);
    answered_down_to(kRedisWindow);
    return count;
  }

  void answered_down_to(std::size_t messages) {
    for (; unanswered_.size() > messages; unanswered_.pop_front()) {
      for (std::uint64_t i = 0; i < unanswered_.front(); ++i) (void)redis_.receive();
    }
  }

  RedisLink redis_;
  std::uint64_t rows_;
  std::unique_ptr<ChangelogReader> reader_;
  std::string commands_;
  std::string state_;
  std::deque<std::uint64_t> unanswered_;  // commands of each message sent
};

void print(const char* name, const Share& share, const char* end) {
  std::printf("\"%s\":{\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"bytes\":%llu,\"messages\":%llu}%s",
              name, share.seconds, share.cpu_seconds, static_cast<unsigned long long>(share.bytes),
              static_cast<unsigned long long>(share.messages), end);
}

int run(const Options& options) {
  rabbitmq::Endpoint endpoint;
  endpoint.url = options.broker;
  const auto changelog = must(rabbitmq::make_changelog(endpoint));
  const OriginName stream{options.stream};
  must(changelog->declare(stream));

  Publisher publisher(options, *changelog, stream);
  std::deque<Consumer> consumers;
  for (const std::string& replica : options.replicas) {
    consumers.emplace_back(replica, options.rows, *changelog, stream);
  }
  std::vector<Share> shares(1 + consumers.size());
  std::atomic<bool> failed{false};
  std::barrier start(static_cast<std::ptrdiff_t>(shares.size()) + 1);
  const auto timed = [&](std::size_t number, auto& job) {
    start.arrive_and_wait();
    const auto begin = std::chrono::steady_clock::now();
    try {
      shares[number] = job.run();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench_floor: %s\n", error.what());
      failed = true;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    shares[number].seconds = took.count();
    shares[number].cpu_seconds = thread_cpu_seconds();
  };
  std::vector<std::jthread> threads;
  threads.emplace_back([&] { timed(0, publisher); });
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    threads.emplace_back([&, i] { timed(i + 1, consumers[i]); });
  }
  start.arrive_and_wait();
  const auto begin = std::chrono::steady_clock::now();
  threads.clear();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (failed) return 1;
  std::printf("{\"seconds\":%.3f,", took.count());
  print("publisher", shares[0], ",\"consumers\":{");
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    print(std::to_string(i).c_str(), shares[i + 1], i + 1 < consumers.size() ? "," : "}}\n");
  }
  return 0;
}

}  // namespace
}  // namespace tributary::bench

int main(int argc, char** argv) {
  tributary::bench::Options options;
  CLI::App app("Moves outbox rows to a stream and two Redis, and nothing else");
  app.add_option("--database", options.database, "PostgreSQL URL")->required();
  app.add_option("--table", options.table, "Rows to read, shaped like tributary_outbox");
  app.add_option("--broker", options.broker, "AMQP URL")->required();
  app.add_option("--stream", options.stream, "A stream that does not exist yet");
  app.add_option("--replica", options.replicas, "Redis URL, once per region")->required();
  app.add_option("--rows", options.rows, "How many rows there are")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    return tributary::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_floor: %s\n", error.what());
    return 1;
  }
}
