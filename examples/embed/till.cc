/// A till with a SQLite file: the smallest whole producer.
///
///     till FILE SKU QUANTITY
///
/// The file is that of an origin in the topology, after `tributary topology apply`. The sale and
/// its change commit together: the till sells without any network, a relay takes the change from
/// there.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sqlite3.h>

#include <tributary/crdt/types/counter.h>
#include <tributary/outbox/sqlite.h>

namespace {

using tributary::ErrorKind;
using tributary::Result;

Result<void> run(sqlite3* till, const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(till, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return {};
  const std::string what = message != nullptr ? message : sqlite3_errmsg(till);
  sqlite3_free(message);
  return tributary::fail(ErrorKind::kInvalid, what);
}

/// Binds what the customer said: never paste it into the SQL.
Result<void> insert_sale(sqlite3* till, const std::string& sku, std::int64_t quantity) {
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(till, "INSERT INTO sales VALUES (?1, ?2)", -1, &insert, nullptr);
  sqlite3_bind_text(insert, 1, sku.c_str(), -1, SQLITE_TRANSIENT);
  sqlite3_bind_int64(insert, 2, quantity);
  const int code = sqlite3_step(insert);
  sqlite3_finalize(insert);
  if (code == SQLITE_DONE) return {};
  return tributary::fail(ErrorKind::kInvalid, sqlite3_errmsg(till));
}

Result<void> sell(sqlite3* till, const std::string& sku, std::int64_t quantity) {
  TRIBUTARY_ASSIGN(const auto outbox, tributary::sqlite::open_outbox(till));
  TRIBUTARY_TRY(run(till, "BEGIN IMMEDIATE"));
  tributary::Transaction changes(*outbox);
  TRIBUTARY_TRY(insert_sale(till, sku, quantity));
  TRIBUTARY_TRY(changes.write(tributary::counter::add("stock:" + sku, -quantity)));
  TRIBUTARY_TRY(changes.write(tributary::counter::add("sold:" + sku, quantity)));
  return changes.commit();  // an error before this leaves the sale to sqlite3_close: rolled back
}

Result<void> work(sqlite3* till, const std::string& sku, const std::string& quantity) {
  const std::int64_t pieces = std::strtoll(quantity.c_str(), nullptr, 10);
  if (pieces < 1) return tributary::fail(ErrorKind::kInvalid, "sell one piece or more");
  sqlite3_busy_timeout(till, 5000);
  TRIBUTARY_TRY(run(till, "CREATE TABLE IF NOT EXISTS sales (sku TEXT, quantity INTEGER)"));
  return sell(till, sku, pieces);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: till FILE SKU QUANTITY\n");
    return 2;
  }
  sqlite3* till = nullptr;
  if (sqlite3_open_v2(argv[1], &till, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    std::fprintf(stderr, "till: cannot open %s: %s\n", argv[1], sqlite3_errmsg(till));
    sqlite3_close(till);
    return 1;
  }
  const auto done = work(till, argv[2], argv[3]);
  sqlite3_close(till);
  if (!done) std::fprintf(stderr, "till: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
