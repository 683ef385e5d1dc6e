/// What is sent, and what an outbox keeps of it.
#include "outbox/batch/batch.h"

#include <doctest/doctest.h>

#include "outbox/batch/writer_context.h"
#include "tests/golden/golden.h"
#include "tests/golden/sample_batch.h"

namespace tributary::golden {
namespace {

TEST_CASE("a batch is these bytes") {
  check("batch.txt", {kBatchFormat, "kBatchFormat in outbox/batch/batch.h"},
        hex(encode(sample_batch())));
}

TEST_CASE("what a writer was told is these bytes") {
  VersionVector watermark;
  watermark.raise(ActorId{8}, Seq{400});
  watermark.raise(ActorId{9}, Seq{4});
  const WriterContext context{
      watermark, {{"buyers:1", {{ActorId{8}, Seq{2}}, {ActorId{9}, Seq{}}}}, {"cart:2", {}}}};
  check("writer_context.txt", {kContextFormat, "kContextFormat in tests/golden/golden.h"},
        hex(context.bytes()));
}

}  // namespace
}  // namespace tributary::golden
