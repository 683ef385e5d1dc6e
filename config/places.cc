#include "config/places.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "config/named_files.h"
#include "config/url.h"
#include "config/url_rules.h"

namespace tributary::config {
namespace {

constexpr std::int64_t kTenYears = std::int64_t{3650} * 86'400;

bool is_variable(const std::string& name) {
  const auto legal = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return std::ranges::all_of(name, legal) && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
}

constexpr std::string_view kLegalName = "abcdefghijklmnopqrstuvwxyz0123456789_-";

class PlaceParser {
 public:
  PlaceParser(Mapping& top, Topology& topology) : top_(top), topology_(topology) {}

  void run() {
    parse_all("regions", [this](Mapping& mapping, const std::string& name) {
      topology_.regions.push_back(region(mapping, name));
    });
    parse_all("origins", [this](Mapping& mapping, const std::string& name) {
      topology_.origins.push_back(origin(mapping, name));
    });
    if (!topology_.regions.empty()) check_references();
  }

 private:
  struct Reference {
    std::string region;
    std::string key;
    Place place;
  };

  /// A required mapping of names.
  template <typename Parse>
  void parse_all(std::string_view section, Parse parse) {
    Mapping all(top_, section, true);
    const std::vector<const YamlEntry*> entries = all.take_all();
    if (all.present() && entries.empty()) top_.mistake(section, "name at least one here");
    for (const YamlEntry* entry : entries) {
      check_name(all, entry->key);
      Mapping mapping(*entry, all.path_of(entry->key), all.mistakes());
      parse(mapping, entry->key);
      mapping.finish();
    }
  }

  static void check_name(Mapping& parent, const std::string& name) {
    const bool legal = !name.empty() && name.size() <= 40 &&
                       name.find_first_not_of(kLegalName) == std::string::npos;
    if (!legal) parent.mistake_of_key(name, "a name must have 1 to 40 of a-z, 0-9, _ and -");
  }

  Region region(Mapping& mapping, const std::string& name) {
    Region region{.name = {name}, .broker = {}, .replica = {}};
    Mapping broker(mapping, "broker", true);
    parse_broker(broker, region.broker);
    broker.finish();
    Mapping replica(mapping, "replica", true);
    credentials(replica, region.replica.credentials);
    const auto parsed =
        url(replica, "url", UrlKind::kReplica, region.replica.url, region.replica.credentials);
    if (parsed) check_replica(replica, name, *parsed, region.replica.credentials);
    replica.finish();
    return region;
  }

  void parse_broker(Mapping& mapping, Broker& out) {
    credentials(mapping, out.credentials);
    const auto parsed = url(mapping, "url", UrlKind::kBroker, out.url, out.credentials);
    bool with_tls = !parsed || parsed->scheme == "amqps";
    Mapping urls(mapping, "url_from");
    for (const YamlEntry* entry : urls.take_all()) {
      const std::string& viewer = entry->key;
      references_.push_back({viewer, urls.path_of(viewer), entry->key_place});
      const auto from = url(urls, viewer, UrlKind::kBroker, out.url_from[viewer], out.credentials);
      with_tls = with_tls || !from || from->scheme == "amqps";
    }
    if (parsed) check_broker_login(mapping, out.credentials);
    Mapping tls(mapping, "tls");
    tls.text("ca_file", out.tls.ca_file);
    tls.text("cert_file", out.tls.cert_file);
    tls.text("key_file", out.tls.key_file);
    tls.finish();
    add_tls_files(tls, out.tls, topology_.files);
    if (tls.present() && !with_tls) {
      mapping.mistake_of_key("tls", "no URL of this broker uses it; write amqps:// there");
    }
    if (tls.has("cert_file") != tls.has("key_file")) {
      tls.mistake_of_key(tls.has("cert_file") ? "cert_file" : "key_file",
                         "cert_file and key_file go together; give both");
    }
  }

  Origin origin(Mapping& mapping, const std::string& name) {
    Origin origin{.name = {name}, .region = {}, .database = {}, .credentials = {}};
    if (mapping.text("region", origin.region.value, true)) {
      references_.push_back(
          {origin.region.value, mapping.path_of("region"), mapping.place_of("region")});
    }
    credentials(mapping, origin.credentials);
    const auto database =
        url(mapping, "database", UrlKind::kDatabase, origin.database, origin.credentials);
    if (database) {
      check_database(mapping, name, *database);
      add_libpq_files(mapping, "database", *database, topology_.files);
    }
    mapping.integer("retention_seconds", origin.retention_seconds, 0, kTenYears);
    mapping.flag("retired", origin.retired);
    return origin;
  }

  /// Remembers that `name` uses this place; the other one that does already, or an empty text.
  static std::string taken_by(std::map<std::string, std::string>& users, const Url& url,
                              const std::string& name) {
    std::string other;
    for (const std::string& place : places_of(url)) {
      const auto [first, fresh] = users.try_emplace(place, name);
      if (!fresh && first->second != name) other = first->second;
    }
    return other;
  }

  void check_replica(Mapping& mapping, const std::string& name, const Url& replica,
                     const Credentials& login) {
    const std::string other = taken_by(region_of_, replica, name);
    if (!other.empty()) {
      mapping.mistake("url", "region \"" + other +
                                 "\" already uses this Redis database; a region needs its own");
    }
    if (!login.username.empty() && login.password.empty() && login.line == 0) {
      mapping.mistake("url",
                      "Redis takes no user name without a password; give password_env or "
                      "password_file, or remove the name");
    }
  }

  void check_database(Mapping& mapping, const std::string& name, const Url& database) {
    const std::string other = taken_by(origin_of_, database, name);
    if (!other.empty()) {
      mapping.mistake("database", "origin \"" + other +
                                      "\" already uses this database; an origin needs its own");
    }
    if (!database.is_sqlite()) return;
    for (const std::string_view key : {"username", "password_env", "password_file"}) {
      if (mapping.has(key)) mapping.mistake_of_key(key, "SQLite has no users; remove this key");
    }
  }

  /// Nobody is asked for the other half: it would be that of RabbitMQ's guest.
  static void check_broker_login(Mapping& mapping, const Credentials& login) {
    const bool password = !login.password.empty() || login.line != 0;
    if (!login.username.empty() && !password) {
      mapping.mistake(mapping.has("username") ? "username" : "url",
                      "a broker's user needs a password; give password_env or password_file");
    }
    if (login.username.empty() && password) {
      mapping.mistake("url", "the password is nobody's; give username, too");
    }
  }

  static void credentials(Mapping& mapping, Credentials& out) {
    mapping.text("username", out.username);
    const bool file = mapping.text("password_file", out.password_file);
    const bool env = mapping.text("password_env", out.password_env);
    if (env && !is_variable(out.password_env)) {
      mapping.mistake("password_env",
                      "the name of an environment variable is expected here, of "
                      "letters, digits and _; the password itself stands there");
      out.password_env.clear();  // perhaps a password: nobody may look it up, or show it
    }
    if (file) out.line = mapping.place_of("password_file").line;
    if (env) out.line = mapping.place_of("password_env").line;
    if (env && file) {
      mapping.mistake_of_key("password_file", "give password_env or password_file, not both");
    }
  }

  /// A required URL. Stored without credentials, which move to `credentials`; only a database's
  /// user name stays, as libpq understands it. nullopt when there is a mistake.
  std::optional<Url> url(Mapping& mapping, std::string_view key, UrlKind kind, std::string& out,
                         Credentials& credentials) {
    std::string text;
    if (!mapping.text(key, text, true)) return std::nullopt;
    auto url = parse_url(kind, text);
    const std::string wrong = url ? wrong_with(kind, *url) : url.error();
    if (!wrong.empty()) {
      mapping.mistake(key, wrong);
      return std::nullopt;
    }
    take_password(mapping, key, *url, credentials);
    take_username(mapping, key, kind, *url, credentials);
    out = url->without_password(kind == UrlKind::kDatabase);
    return std::move(*url);
  }

  void take_password(Mapping& mapping, std::string_view key, const Url& url,
                     Credentials& credentials) const {
    if (url.password.empty()) return;
    if (!topology_.allow_inline_passwords) {
      mapping.mistake(key,
                      "credentials never stand inline by default; use password_env or "
                      "password_file, or set allow_inline_passwords: true");
    } else if (credentials.line != 0) {
      mapping.mistake(key, "the password stands here and below; keep one of them");
    } else if (!credentials.password.empty() && credentials.password != url.password) {
      mapping.mistake(key, "another URL of this broker has another password; one goes for all");
    }
    credentials.password = url.password;
  }

  static void take_username(Mapping& mapping, std::string_view key, UrlKind kind, const Url& url,
                            Credentials& credentials) {
    std::string name = url.username;
    for (const auto& [parameter, value] : url.query) {
      if (kind == UrlKind::kDatabase && parameter == "user") name = value;
    }
    if (name.empty()) return;
    if (!credentials.username.empty() && credentials.username != name) {
      mapping.mistake(key, "another user name stands beside this URL; keep one of them");
    }
    if (kind != UrlKind::kDatabase) credentials.username = name;
  }

  void check_references() {
    std::vector<std::string> known;
    for (const Region& region : topology_.regions) known.push_back(region.name.value);
    for (const Reference& reference : references_) {
      if (topology_.region({reference.region}) != nullptr) continue;
      const std::string hint = did_you_mean(reference.region, known);
      top_.mistakes().add(reference.place, reference.key,
                          "no region is named " + shown(reference.region) +
                              (hint.empty() ? "; there are: " + listed(known) : hint));
    }
  }

  Mapping& top_;
  Topology& topology_;
  std::vector<Reference> references_;
  std::map<std::string, std::string> origin_of_;  ///< by place of the database
  std::map<std::string, std::string> region_of_;  ///< by place of the replica
};

}  // namespace

void parse_places(Mapping& top, Topology& topology) { PlaceParser(top, topology).run(); }

}  // namespace tributary::config
