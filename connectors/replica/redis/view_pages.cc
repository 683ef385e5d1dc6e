#include "connectors/replica/redis/view_pages.h"

#include <algorithm>

namespace tributary::redis {
namespace {

using crdt::ViewKind;

constexpr std::size_t kFirstPage = 16;  // members; a member may have a megabyte
constexpr std::size_t kLargestPage = 1000;
constexpr std::size_t kPageBytes = std::size_t{1} << 20;

/// Takes pages until there are no more, or too many bytes.
class Pages {
 public:
  Pages(Connection& connection, std::string_view key, ViewKind kind)
      : connection_(connection), key_(key), kind_(kind) {}

  /// False when all was read.
  Result<bool> next() {
    switch (kind_) {
      case ViewKind::kString: return string();
      case ViewKind::kSet: return scan("SSCAN");
      case ViewKind::kHash: return scan("HSCAN");
      case ViewKind::kSortedSet: return range("ZRANGE");
      case ViewKind::kList: return range("LRANGE");
    }
    return false;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// A scan may meet a member twice.
  [[nodiscard]] ViewValues take() {
    if (kind_ == ViewKind::kSet || kind_ == ViewKind::kHash) {
      std::sort(values_.begin(), values_.end());
      values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    }
    return std::move(values_);
  }

 private:
  Result<bool> string() {
    TRIBUTARY_ASSIGN(const Reply reply, connection_.call({"GET", key_}));
    if (!is_nil(*reply)) values_.emplace_back("", text(*reply));
    return false;
  }

  Result<bool> scan(std::string_view command) {
    TRIBUTARY_ASSIGN(const Reply reply,
                     connection_.call({command, key_, cursor_, "COUNT", std::to_string(page_)}));
    cursor_ = text(at(*reply, 0));
    add(at(*reply, 1));
    return cursor_ != "0";
  }

  Result<bool> range(std::string_view command) {
    const std::string first = std::to_string(met_);
    const std::string last = std::to_string(met_ + page_ - 1);
    const std::size_t asked = page_;
    const bool scores = kind_ == ViewKind::kSortedSet;
    auto called = scores ? connection_.call({command, key_, first, last, "WITHSCORES"})
                         : connection_.call({command, key_, first, last});
    TRIBUTARY_ASSIGN(const Reply reply, std::move(called));
    return add(*reply) == asked;
  }

  /// How many members the page had. The next one has about a megabyte.
  std::size_t add(const redisReply& page) {
    const bool pairs = kind_ == ViewKind::kHash || kind_ == ViewKind::kSortedSet;
    const std::size_t members = size(page) / (pairs ? 2 : 1);
    for (std::size_t i = 0; i < members; ++i) {
      std::string first(text(at(page, pairs ? 2 * i : i)));
      bytes_ += first.size();
      if (pairs) {
        values_.emplace_back(std::move(first), text(at(page, 2 * i + 1)));
        bytes_ += values_.back().second.size();
      } else if (kind_ == ViewKind::kSet) {
        values_.emplace_back(std::move(first), "");
      } else {
        values_.emplace_back("", std::move(first));
      }
    }
    met_ += members;
    if (met_ > 0) {
      page_ = std::clamp(kPageBytes / std::max<std::size_t>(1, bytes_ / met_), std::size_t{1},
                         kLargestPage);
    }
    return members;
  }

  Connection& connection_;
  std::string_view key_;
  ViewKind kind_;
  std::string cursor_ = "0";
  std::size_t page_ = kFirstPage;
  std::size_t met_ = 0;
  std::size_t bytes_ = 0;
  ViewValues values_;
};

}  // namespace

Result<std::optional<ViewValues>> read_pages(Connection& connection, std::string_view key,
                                             ViewKind kind, std::size_t bytes) {
  Pages pages(connection, key, kind);
  for (bool more = true; more;) {
    TRIBUTARY_ASSIGN(more, pages.next());
    if (pages.bytes() > bytes) return std::nullopt;
  }
  return pages.take();
}

}  // namespace tributary::redis
