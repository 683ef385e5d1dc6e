/// A shop in one region. Its tables (products, orders, order_lines) are the truth about this
/// region's warehouse; what all regions together have, sold and earned is read from Redis:
///
///     stock:SKU  sold:SKU  revenue:SKU   counters: the sums over all regions (revenue in cents)
///     price:SKU  name:SKU                registers: the last write wins
///     buyers:SKU cart:CUSTOMER           sets: an add wins over a concurrent remove
///
/// Every function is one database transaction that holds the business rows and the changes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tributary/outbox/transaction.h>

#include "database.h"

namespace shop {

struct Product {
  std::string sku;
  std::string name;
  std::int64_t price_cents = 0;
};

/// One thread. A function that returns an error has changed nothing, in no table and in no outbox,
/// unless the message says that the commit may or may not have happened.
class Shop {
 public:
  /// Creates the business tables; safe to repeat.
  [[nodiscard]] static Result<void> create_tables(Database& database);
  /// kInvalid when the tables or the outbox are missing.
  [[nodiscard]] static Result<Shop> open(Database database);

  /// Takes a delivery into this region's warehouse, of a new product or of a known one.
  [[nodiscard]] Result<void> deliver(const Product& product, std::int64_t quantity);
  /// Sells from this region's warehouse; kInvalid, and nothing done, when it holds too little.
  [[nodiscard]] Result<void> sell(const std::string& sku, std::int64_t quantity,
                                  const std::string& customer);
  [[nodiscard]] Result<void> set_price(const std::string& sku, std::int64_t cents);
  /// A cart has no table: the outbox and the replicas are all it needs.
  [[nodiscard]] Result<void> cart_add(const std::string& customer, const std::string& sku);
  [[nodiscard]] Result<void> cart_remove(const std::string& customer, const std::string& sku);

 private:
  Shop(Database database, std::unique_ptr<tributary::OutboxConnection> outbox)
      : database_(std::move(database)), outbox_(std::move(outbox)) {}

  /// BEGIN, `work`, then the changes and COMMIT; ROLLBACK when any of it fails.
  Result<void> transact(const std::function<Result<void>(tributary::Transaction&)>& work);

  Database database_;
  std::unique_ptr<tributary::OutboxConnection> outbox_;
};

}  // namespace shop
