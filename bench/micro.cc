/// The hot paths without I/O: sealing rows into a batch, its codec, and joining deltas.
/// One item is one change (seal, codec) or one delta (join).
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "outbox/batch/sealing.h"

namespace tributary {
namespace {

constexpr std::size_t kRows = 4096;
constexpr ActorId kActor{42};

/// Rows of one type, on as many keys as there are rows or on few hot ones.
struct Rows {
  std::vector<std::string> keys;
  std::vector<std::string> values;
  std::vector<OutboxRow> rows;

  Rows(std::string_view type, std::size_t key_count) {
    for (std::size_t i = 0; i < key_count; ++i) {
      keys.push_back(std::string(type) + ":" + std::to_string(100'000 + i));
    }
    for (std::size_t i = 0; i < kRows; ++i) values.push_back("value-" + std::to_string(i % 100));
    for (std::size_t i = 0; i < kRows; ++i) {
      OutboxRow row;
      row.id = static_cast<std::int64_t>(i + 1);
      row.transaction = static_cast<std::int64_t>(1 + i / 5);
      row.key = keys[i % keys.size()];
      row.type = type;
      row.operation = type == "register" ? "set" : "add";
      row.hlc = Hlc{1000 + i};
      if (type == "counter") row.amount = static_cast<std::int64_t>(i % 7) - 3;
      else row.value = values[i];
      rows.push_back(row);
    }
  }
};

StoredSchema schema() {
  return {.schema = {.keyspaces = {{"counter:*", "counter"},
                                   {"register:*", "register"},
                                   {"set:*", "set"}},
                     .limits = {}},
          .operations = {}};
}

SealResult seal_rows(const Rows& rows) {
  static const StoredSchema kSchema = schema();
  TotalsCache totals;
  SealRules rules;
  rules.schema = &kSchema;
  rules.clock = Hlc{1'000'000};
  return seal({kActor, OriginName{"bench"}, Seq{0}, Hlc{0}}, rows.rows, rules, totals);
}

std::string_view type_of(const benchmark::State& state) {
  constexpr std::string_view kTypes[] = {"counter", "register", "set"};
  return kTypes[state.range(0)];
}

std::size_t keys_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(1));
}

void finish(benchmark::State& state, std::size_t items) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items));
  state.SetLabel(std::string(type_of(state)));
}

void seal_batch(benchmark::State& state) {
  const Rows rows(type_of(state), keys_of(state));
  for (auto _ : state) benchmark::DoNotOptimize(seal_rows(rows));
  finish(state, kRows);
}

void decode(benchmark::State& state) {
  const std::string bytes = seal_rows(Rows(type_of(state), keys_of(state))).batches.at(0).bytes;
  for (auto _ : state) benchmark::DoNotOptimize(decode_batch(bytes));
  finish(state, kRows);
}

void encode_again(benchmark::State& state) {
  const Batch batch =
      *decode_batch(seal_rows(Rows(type_of(state), keys_of(state))).batches.at(0).bytes);
  for (auto _ : state) benchmark::DoNotOptimize(encode(batch));
  finish(state, kRows);
}

/// touched(), a state loaded empty, join(): what a consumer does per delta between its round trips.
void join(benchmark::State& state) {
  const Batch batch =
      *decode_batch(seal_rows(Rows(type_of(state), keys_of(state))).batches.at(0).bytes);
  const crdt::Type& type = *crdt::find_type(type_of(state));
  const VersionVector watermark;
  for (auto _ : state) {
    for (const Delta& delta : batch.deltas) {
      const auto touched = type.touched(delta.body, bounds_of(batch));
      crdt::State loaded;
      for (const std::string& name : touched->names) loaded.load(name, std::nullopt);
      loaded.settle();
      crdt::ViewEdits edits;
      benchmark::DoNotOptimize(type.join(
          delta.body, {batch.actor, delta.last_seq, batch.contexts, &watermark}, loaded, edits));
    }
  }
  finish(state, batch.deltas.size());
}

void types_and_keys(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"type", "keys"});
  for (const std::int64_t type : {0, 1, 2}) {
    for (const std::int64_t keys : {64, 4096}) bench->Args({type, keys});
  }
}

BENCHMARK(seal_batch)->Apply(types_and_keys);
BENCHMARK(encode_again)->Apply(types_and_keys);
BENCHMARK(decode)->Apply(types_and_keys);
BENCHMARK(join)->Apply(types_and_keys);

}  // namespace
}  // namespace tributary
