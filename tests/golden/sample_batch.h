/// A batch that has every part of the format in use.
#pragma once

#include <string>

#include "outbox/batch/batch.h"

namespace tributary {

inline Batch sample_batch() {
  VersionVector context;
  context.raise(ActorId{0x1122334455667788U}, Seq{300});
  context.raise(ActorId{2}, Seq{1});
  return {.actor = ActorId{0xfedcba9876543210U},
          .origin = OriginName{"shop-eu"},
          .first_seq = Seq{41},
          .last_seq = Seq{45},
          .hlc = Hlc{0x0123456789abcdefU},
          .predecessor = FormerActor{ActorId{0x0badcafe0badcafeU}, Seq{700}},
          .earlier = {{ActorId{3}, Seq{}}, {ActorId{0x0badcafe0badcaffU}, Seq{50}}},
          .former_history = HistoryDigest{0x0011223344556677U},
          .before = HistoryDigest{0xffeeddccbbaa9988U},
          .rows = {{.transaction = 77, .first_id = 1001, .last_id = 1003, .tag = 5},
                   {.transaction = -1, .first_id = 1007, .last_id = 1007, .tag = ~std::uint64_t{0}},
                   {.transaction = -1, .first_id = 1008, .last_id = 1008, .tag = 6}},
          .contexts = {context, VersionVector{}},
          .deltas = {{"stock:85123A", "counter", Seq{42}, std::string("\x06\x00", 2)},
                     {"buyers:\xff", "set", Seq{45}, "body"},
                     {"stock:2", "counter", Seq{43}, ""}}};
}

}  // namespace tributary
