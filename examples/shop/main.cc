/// The shop's command line: one command, one transaction.
///
///     shop --database postgresql://… sell --product 85123A --quantity 3 --customer 13047
///
/// Exit codes: 0 done, 1 refused or failed (nothing was changed), 2 wrong arguments.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "database.h"
#include "money.h"
#include "shop.h"

namespace shop {
namespace {

constexpr std::int64_t kMostPieces = 1'000'000;

struct Options {
  std::string database;
  Product product;
  std::string customer;
  std::string price;
  std::int64_t quantity = 1;
  std::int64_t sales = 100;
  std::int64_t customers = 4;
  std::int64_t pause_ms = 0;
};

using Work = std::function<Result<void>(Shop&, const Options&)>;

Result<std::int64_t> cents(const std::string& price) {
  const auto parsed = parse_price(price);
  if (parsed) return *parsed;
  return tributary::fail(tributary::ErrorKind::kInvalid,
                         "\"" + price + "\" is no price: write it like 2.55");
}

Result<void> deliver(Shop& shop, const Options& options) {
  Product product = options.product;
  TRIBUTARY_ASSIGN(product.price_cents, cents(options.price));
  TRIBUTARY_TRY(shop.deliver(product, options.quantity));
  std::printf("delivered: %lld of %s\n", static_cast<long long>(options.quantity),
              product.sku.c_str());
  return {};
}

Result<void> sell(Shop& shop, const Options& options) {
  TRIBUTARY_TRY(shop.sell(options.product.sku, options.quantity, options.customer));
  std::printf("sold: %lld of %s to %s\n", static_cast<long long>(options.quantity),
              options.product.sku.c_str(), options.customer.c_str());
  return {};
}

/// Many customers, one piece each, one transaction each.
Result<void> rush(Shop& shop, const Options& options) {
  for (std::int64_t sale = 0; sale < options.sales; ++sale) {
    const std::string customer =
        options.customer + "-" + std::to_string(sale % options.customers + 1);
    auto sold = shop.sell(options.product.sku, 1, customer);
    if (!sold) return tributary::fail(sold.error().in("after " + std::to_string(sale) + " sales"));
    std::this_thread::sleep_for(std::chrono::milliseconds(options.pause_ms));
  }
  std::printf("sold: one of %s, %lld times\n", options.product.sku.c_str(),
              static_cast<long long>(options.sales));
  return {};
}

Result<void> price(Shop& shop, const Options& options) {
  TRIBUTARY_ASSIGN(const std::int64_t amount, cents(options.price));
  TRIBUTARY_TRY(shop.set_price(options.product.sku, amount));
  std::printf("price of %s: %s\n", options.product.sku.c_str(), format_price(amount).c_str());
  return {};
}

Result<void> cart_add(Shop& shop, const Options& options) {
  TRIBUTARY_TRY(shop.cart_add(options.customer, options.product.sku));
  std::printf("in the cart of %s: %s\n", options.customer.c_str(), options.product.sku.c_str());
  return {};
}

Result<void> cart_remove(Shop& shop, const Options& options) {
  TRIBUTARY_TRY(shop.cart_remove(options.customer, options.product.sku));
  std::printf("out of the cart of %s: %s\n", options.customer.c_str(), options.product.sku.c_str());
  return {};
}

/// `work` is empty for init, the only command that needs no shop.
Result<void> run(const Options& options, const Work& work) {
  TRIBUTARY_ASSIGN(Database database, Database::connect(options.database));
  if (!work) {
    TRIBUTARY_TRY(Shop::create_tables(database));
    std::printf("tables created\n");
    return {};
  }
  TRIBUTARY_ASSIGN(Shop shop, Shop::open(std::move(database)));
  return work(shop, options);
}

void add_commands(CLI::App& app, Options& options, Work& chosen) {
  const auto add = [&](const char* name, const char* about, Work work) {
    CLI::App* command = app.add_subcommand(name, about);
    command->callback([&chosen, work = std::move(work)] { chosen = work; });
    return command;
  };
  const auto product = [&](CLI::App* command) {
    command->add_option("--product", options.product.sku, "Article number, like 85123A")
        ->required();
  };
  const auto customer = [&](CLI::App* command) {
    command->add_option("--customer", options.customer, "Customer number, like 13047")->required();
  };
  const auto quantity = [&](CLI::App* command) {
    command->add_option("--quantity", options.quantity, "How many")
        ->check(CLI::Range(std::int64_t{1}, kMostPieces))
        ->capture_default_str();
  };
  const auto amount = [&](CLI::App* command) {
    command->add_option("--price", options.price, "Price of one, like 2.55")->required();
  };

  add("init", "Create the tables; safe to repeat", nullptr);
  CLI::App* delivering = add("deliver", "Take a delivery into this region's warehouse", deliver);
  product(delivering);
  quantity(delivering);
  amount(delivering);
  delivering->add_option("--name", options.product.name, "What it is called")->required();
  CLI::App* selling = add("sell", "Sell from this region's warehouse", sell);
  product(selling);
  quantity(selling);
  customer(selling);
  CLI::App* rushing = add("rush", "Sell one piece to many customers, a transaction each", rush);
  product(rushing);
  rushing->add_option("--customer", options.customer, "Start of the customers' names")->required();
  rushing->add_option("--customers", options.customers, "How many customers take turns")
      ->check(CLI::Range(std::int64_t{1}, kMostPieces))
      ->capture_default_str();
  rushing->add_option("--sales", options.sales, "How many sales")
      ->check(CLI::Range(std::int64_t{1}, kMostPieces))
      ->capture_default_str();
  rushing->add_option("--pause-ms", options.pause_ms, "Pause after each sale")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{60'000}))
      ->capture_default_str();
  CLI::App* pricing = add("price", "Set the price of a product", price);
  product(pricing);
  amount(pricing);
  for (const auto& [name, about, work] :
       {std::tuple{"cart-add", "Put a product into a customer's cart", Work(cart_add)},
        std::tuple{"cart-remove", "Take a product out of a customer's cart", Work(cart_remove)}}) {
    CLI::App* carting = add(name, about, work);
    product(carting);
    customer(carting);
  }
}

}  // namespace
}  // namespace shop

int main(int argc, char** argv) {
  CLI::App app("A shop in one region: business tables and outbox in one transaction.", "shop");
  app.require_subcommand(1);
  shop::Options options;
  shop::Work work;
  app.add_option("--database", options.database, "postgresql://… of this region's database")
      ->required();
  shop::add_commands(app, options, work);
  try {
    app.parse(argc, argv);
    const auto done = shop::run(options, work);
    if (done) return 0;
    std::fprintf(stderr, "shop: %s\n", done.error().message.c_str());
    return 1;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "shop: %s\n", error.what());
    return 1;
  }
}
