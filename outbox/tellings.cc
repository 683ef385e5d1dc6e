#include <algorithm>

#include <tributary/outbox/tellings.h>

namespace tributary {
namespace {

constexpr std::size_t kRemembered = 1000;

VersionVector without(VersionVector watermark, ActorId actor) {
  watermark.erase(actor);
  return watermark;
}

}  // namespace

VersionVector Tellings::tell(const VersionVector& watermark, const LoweredKeys& lowered,
                             ActorId own, Seq number) {
  if (lowered.empty()) return watermark;
  const Telling* last = last_.empty() ? nullptr : &last_.back();
  const bool same_keys = last != nullptr && *last->lowered == lowered;
  if (!same_keys || without(last->watermark, own) != without(watermark, own)) {
    auto keys = same_keys ? last->lowered : std::make_shared<const LoweredKeys>(lowered);
    last_.push_back({number, watermark, std::move(keys)});
    if (last_.size() > kRemembered) last_.pop_front();
  }
  VersionVector told = watermark;
  for (const auto& [key, seqs] : lowered) told = lower(std::move(told), seqs);
  told.raise(kNumber, last_.back().number);
  return told;
}

const Tellings::Telling* Tellings::find(Seq number) const {
  const auto found = std::ranges::find(last_, number, &Telling::number);
  return found == last_.end() ? nullptr : &*found;
}

}  // namespace tributary
