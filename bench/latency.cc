/// How long from a commit until every region's readers see the change, at a steady rate.
///
/// Open loop: transaction i is due at start + i/rate whatever happened before, and is done by the
/// next free of several connections, so a stall delays what was due during it and the delay is
/// counted. Two figures per region: from the moment the writer knew its commit was durable, and
/// from the moment the transaction was due, which adds waiting for a connection and the commit
/// itself. Transaction i sets register profile:<i> or adds to counter sold:<i> by the producer
/// library.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <deque>
#include <memory>
#include <stdexcept>
#include <thread>

#include <CLI/CLI.hpp>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/outbox/postgres.h>

#include "bench/observer.h"

namespace tributary::bench {
namespace {

constexpr std::chrono::seconds kPatience{30};  // after the last commit

struct Options {
  std::string database;
  std::vector<std::string> replicas;
  double rate = 1000;
  double seconds = 30;
  int connections = 16;
  [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(rate * seconds); }
};

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct CloseConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

bool is_counter(std::size_t i) { return i % 2 == 1; }
std::string key_of(std::size_t i) {
  return (is_counter(i) ? "sold:" : "profile:") + std::to_string(i);
}
std::string value_of(std::size_t i) { return std::to_string(is_counter(i) ? 1 + i % 9 : i); }
Change change_of(std::size_t i) {
  if (is_counter(i)) return counter::add(key_of(i), static_cast<std::int64_t>(1 + i % 9));
  return register_::set(key_of(i), value_of(i));
}

/// The schedule that all writers share, and when its transactions were committed.
struct Schedule {
  Moment start;
  double rate = 0;
  std::atomic<std::size_t> next{0};
  std::vector<Moment> committed;

  [[nodiscard]] Moment due(std::size_t i) const {
    return start + std::chrono::nanoseconds(std::llround(static_cast<double>(i) * 1e9 / rate));
  }
};

class Writer {
 public:
  explicit Writer(const std::string& database) : connection_(PQconnectdb(database.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail_here();
    outbox_ = must(postgres::open_outbox(connection_.get()));
  }

  void run(Schedule& schedule) {
    for (;;) {
      const std::size_t i = schedule.next++;
      if (i >= schedule.committed.size()) return;
      std::this_thread::sleep_until(schedule.due(i));
      write(change_of(i));
      schedule.committed[i] = std::chrono::steady_clock::now();
    }
  }

 private:
  void write(Change change) {
    PGresult* begun = PQexec(connection_.get(), "BEGIN");
    const bool open = PQresultStatus(begun) == PGRES_COMMAND_OK;
    PQclear(begun);
    if (!open) fail_here();
    Transaction transaction(*outbox_);
    must(transaction.write(std::move(change)));
    must(transaction.commit());
  }
  [[noreturn]] void fail_here() {
    throw std::runtime_error(std::string("postgres: ") + PQerrorMessage(connection_.get()));
  }

  std::unique_ptr<PGconn, CloseConnection> connection_;
  std::unique_ptr<OutboxConnection> outbox_;
};

/// Nearest-rank percentiles in milliseconds, as JSON.
std::string percentiles(const std::vector<Moment>& from, const std::vector<Moment>& to) {
  std::vector<double> ms;
  for (std::size_t i = 0; i < from.size(); ++i) {
    ms.push_back(std::chrono::duration<double, std::milli>(to[i] - from[i]).count());
  }
  std::ranges::sort(ms);
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ms.size())));
    return ms[std::max<std::size_t>(rank, 1) - 1];
  };
  char text[200];
  std::snprintf(text, sizeof text, R"({"min":%.3f,"p50":%.3f,"p99":%.3f,"p999":%.3f,"max":%.3f})",
                ms.front(), at(0.5), at(0.99), at(0.999), ms.back());
  return text;
}

/// Every key holds what was written: its own value, so the counters' sum is right, too.
void verify(const std::string& replica, std::size_t count) {
  RedisLink redis(replica);
  for (std::size_t i = 0; i < count; ++i) {
    const LinkReply reply = redis.call({"GET", key_of(i)});
    const std::string found =
        reply->str == nullptr ? "nothing" : std::string(reply->str, reply->len);
    if (found != value_of(i)) {
      throw std::runtime_error(replica + " holds " + found + " at " + key_of(i) + " instead of " +
                               value_of(i));
    }
  }
}

class Run {
 public:
  explicit Run(const Options& options) : options_(options) {
    const std::vector<std::string> prefixes{"profile:", "sold:"};
    for (const std::string& url : options.replicas) {
      observers_.emplace_back(url, prefixes, options.count());
    }
    for (int i = 0; i < options.connections; ++i) writers_.emplace_back(options.database);
    schedule_.rate = options.rate;
    schedule_.committed.resize(options.count());
  }

  void measure() {
    std::vector<std::jthread> watching;
    for (Observer& observer : observers_) {
      watching.emplace_back([&] {
        guarded([&] {
          while (!over_ && observer.seen_count() < options_.count()) observer.step(50);
        });
      });
    }
    schedule_.start = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    std::vector<std::jthread> writing;
    for (Writer& writer : writers_) {
      writing.emplace_back([&] { guarded([&] { writer.run(schedule_); }); });
    }
    writing.clear();
    wait_for_observers();
    over_ = true;
  }

  [[nodiscard]] bool failed() const { return failed_; }

  void print() const {
    std::vector<Moment> due;
    for (std::size_t i = 0; i < options_.count(); ++i) due.push_back(schedule_.due(i));
    const auto last = std::ranges::max(schedule_.committed);
    const std::chrono::duration<double> took = last - schedule_.start;
    std::printf(R"({"transactions":%zu,"committed_per_second":%.1f,"commit_ms":%s,"regions":[)",
                options_.count(), static_cast<double>(options_.count()) / took.count(),
                percentiles(due, schedule_.committed).c_str());
    for (std::size_t r = 0; r < observers_.size(); ++r) {
      const auto& visible = observers_[r].visible();
      std::printf(R"(%s{"from_commit_ms":%s,"from_due_ms":%s})", r == 0 ? "" : ",",
                  percentiles(schedule_.committed, visible).c_str(),
                  percentiles(due, visible).c_str());
    }
    std::printf("]}\n");
  }

 private:
  template <typename Job>
  void guarded(Job job) {
    try {
      job();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench_latency: %s\n", error.what());
      failed_ = true;
    }
  }

  void wait_for_observers() {
    const Moment deadline = std::chrono::steady_clock::now() + kPatience;
    for (const Observer& observer : observers_) {
      while (!failed_ && observer.seen_count() < options_.count()) {
        if (std::chrono::steady_clock::now() > deadline) {
          std::fprintf(stderr, "bench_latency: a region shows only %zu of %zu changes after 30 s\n",
                       observer.seen_count(), options_.count());
          failed_ = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
  }

  const Options& options_;
  std::deque<Observer> observers_;
  std::deque<Writer> writers_;
  Schedule schedule_;
  std::atomic<bool> over_{false};
  std::atomic<bool> failed_{false};
};

int run(const Options& options) {
  Run run(options);
  run.measure();
  if (run.failed()) return 1;
  for (const std::string& replica : options.replicas) verify(replica, options.count());
  run.print();
  return 0;
}

}  // namespace
}  // namespace tributary::bench

int main(int argc, char** argv) {
  tributary::bench::Options options;
  CLI::App app("Measures commit to visible at a steady rate of transactions");
  app.add_option("--database", options.database, "PostgreSQL URL of an origin")->required();
  app.add_option("--replica", options.replicas, "Redis URL, once per region")->required();
  app.add_option("--rate", options.rate, "Transactions per second")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  try {
    return tributary::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_latency: %s\n", error.what());
    return 1;
  }
}
