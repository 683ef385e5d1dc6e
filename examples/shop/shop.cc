#include "shop.h"

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>
#include <tributary/outbox/postgres.h>

#include "money.h"

namespace shop {
namespace {

namespace counter = tributary::counter;
namespace register_ = tributary::register_;
namespace set = tributary::set;
using tributary::ErrorKind;
using tributary::fail;
using tributary::Transaction;

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS products (
  sku text PRIMARY KEY,
  name text NOT NULL,
  price_cents bigint NOT NULL CHECK (price_cents >= 0),
  stock bigint NOT NULL CHECK (stock >= 0));
CREATE TABLE IF NOT EXISTS orders (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  customer text NOT NULL,
  sold_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS order_lines (
  order_id bigint NOT NULL REFERENCES orders,
  sku text NOT NULL REFERENCES products,
  quantity bigint NOT NULL CHECK (quantity > 0),
  price_cents bigint NOT NULL);
)sql";

Result<std::int64_t> insert_order(Database& database, const std::string& customer) {
  TRIBUTARY_ASSIGN(
      const Rows order,
      database.run("INSERT INTO orders (customer) VALUES ($1) RETURNING id", {customer}));
  return std::stoll(order[0][0]);
}

}  // namespace

Result<void> Shop::create_tables(Database& database) {
  TRIBUTARY_TRY(database.run(kTables));
  return {};
}

Result<Shop> Shop::open(Database database) {
  TRIBUTARY_ASSIGN(const Rows present, database.run("SELECT to_regclass('order_lines')"));
  if (present[0][0].empty()) {
    return fail(ErrorKind::kInvalid, "this database has no shop: run `shop --database URL init`");
  }
  TRIBUTARY_ASSIGN(auto outbox, tributary::postgres::open_outbox(database.get()));
  return Shop(std::move(database), std::move(outbox));
}

Result<void> Shop::transact(const std::function<Result<void>(Transaction&)>& work) {
  TRIBUTARY_TRY(database_.run("BEGIN"));
  Transaction transaction(*outbox_);
  auto done = work(transaction);
  if (done) done = transaction.commit();
  if (!done) database_.roll_back();
  return done;
}

Result<void> Shop::deliver(const Product& product, std::int64_t quantity) {
  return transact([&](Transaction& changes) -> Result<void> {
    TRIBUTARY_TRY(database_.run(
        "INSERT INTO products (sku, name, price_cents, stock) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (sku) DO UPDATE SET name = excluded.name, "
        "price_cents = excluded.price_cents, stock = products.stock + excluded.stock",
        {product.sku, product.name, std::to_string(product.price_cents),
         std::to_string(quantity)}));
    TRIBUTARY_TRY(changes.write(counter::add("stock:" + product.sku, quantity)));
    TRIBUTARY_TRY(changes.write(register_::set("name:" + product.sku, product.name)));
    return changes.write(register_::set("price:" + product.sku, format_price(product.price_cents)));
  });
}

Result<void> Shop::sell(const std::string& sku, std::int64_t quantity,
                        const std::string& customer) {
  return transact([&](Transaction& changes) -> Result<void> {
    TRIBUTARY_ASSIGN(
        const Rows product,
        database_.run("SELECT stock, price_cents FROM products WHERE sku = $1 FOR UPDATE", {sku}));
    if (product.empty()) return fail(ErrorKind::kInvalid, "there is no product " + sku);
    const std::int64_t stock = std::stoll(product[0][0]);
    const std::int64_t price_cents = std::stoll(product[0][1]);
    if (stock < quantity) {
      return fail(ErrorKind::kInvalid, "only " + std::to_string(stock) + " of " + sku +
                                           " are in this region's warehouse, not " +
                                           std::to_string(quantity));
    }
    TRIBUTARY_TRY(database_.run("UPDATE products SET stock = stock - $2 WHERE sku = $1",
                                {sku, std::to_string(quantity)}));
    TRIBUTARY_ASSIGN(const std::int64_t order, insert_order(database_, customer));
    TRIBUTARY_TRY(database_.run(
        "INSERT INTO order_lines VALUES ($1, $2, $3, $4)",
        {std::to_string(order), sku, std::to_string(quantity), std::to_string(price_cents)}));
    TRIBUTARY_TRY(changes.write(counter::add("stock:" + sku, -quantity)));
    TRIBUTARY_TRY(changes.write(counter::add("sold:" + sku, quantity)));
    TRIBUTARY_TRY(changes.write(counter::add("revenue:" + sku, quantity * price_cents)));
    return changes.write(set::add("buyers:" + sku, customer));
  });
}

Result<void> Shop::set_price(const std::string& sku, std::int64_t cents) {
  return transact([&](Transaction& changes) -> Result<void> {
    TRIBUTARY_ASSIGN(
        const Rows product,
        database_.run("UPDATE products SET price_cents = $2 WHERE sku = $1 RETURNING sku",
                      {sku, std::to_string(cents)}));
    if (product.empty()) return fail(ErrorKind::kInvalid, "there is no product " + sku);
    return changes.write(register_::set("price:" + sku, format_price(cents)));
  });
}

Result<void> Shop::cart_add(const std::string& customer, const std::string& sku) {
  return transact(
      [&](Transaction& changes) { return changes.write(set::add("cart:" + customer, sku)); });
}

Result<void> Shop::cart_remove(const std::string& customer, const std::string& sku) {
  return transact(
      [&](Transaction& changes) { return changes.write(set::remove("cart:" + customer, sku)); });
}

}  // namespace shop
