/// The topology: one YAML file that every process reads, as validated structs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"

namespace tributary::config {

/// Credentials stand in a file or an environment variable, and in the URL only when the topology
/// says `allow_inline_passwords: true`; parsing then moves them here.
struct Credentials {
  std::string username;
  std::string password_env;   ///< name of an environment variable
  std::string password_file;  ///< its first line is the password
  std::string password;       ///< filled by resolve_secrets(); never rendered
  std::string problem;        ///< why resolve_secrets() could not fill it; empty: it could
  int line = 0;               ///< where the file names the password; 0: nowhere
};

/// PEM files. The key pair is for brokers that ask for a client certificate.
struct Tls {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

struct Broker {
  std::string url;                              ///< amqp:// or amqps://
  std::map<std::string, std::string> url_from;  ///< region -> the address by which it gets here
  Credentials credentials;
  Tls tls;
};

struct Replica {
  std::string url;  ///< redis://
  Credentials credentials;
};

struct Region {
  RegionName name;
  Broker broker;
  Replica replica;
};

struct Origin {
  OriginName name;
  RegionName region;
  std::string database;  ///< postgresql://… or sqlite:///absolute/path
  Credentials credentials;
  std::int64_t retention_seconds = 86'400;  ///< confirmed batches are kept this long
  bool retired = false;  ///< writes no more; its database need not be there, its stream may be
};

struct Relay {
  std::int64_t batch_changes = 16'384;   ///< changes sealed at once, but whole transactions
  std::int64_t batch_bytes = 4'194'304;  ///< bytes of changes sealed at once, about
  std::int64_t unconfirmed_batches = 64;
  std::int64_t unconfirmed_bytes = 33'554'432;
  std::int64_t unsaved_totals = 20'000;    ///< running totals kept back from the database
  std::int64_t confirm_interval_ms = 100;  ///< sealing pauses when so many wait for a confirm
  std::int64_t poll_min_ms = 1;            ///< wait after a seal that found changes
  std::int64_t poll_max_ms = 20;           ///< wait after many that found none
  std::int64_t heartbeat_ms = 1000;        ///< an idle origin says so after this, then less often
  std::int64_t heartbeat_max_ms = 30'000;  ///< … down to this
  std::int64_t housekeeping_ms = 10'000;   ///< totals are saved, old batches forgotten this often
  std::int64_t context_refresh_ms = 50;    ///< the region's watermark is copied this often
  std::int64_t lease_retry_ms = 500;       ///< a standby asks for the lease this often
  std::int64_t backoff_first_ms = 50;      ///< wait after a first failure; doubles
  std::int64_t backoff_max_ms = 5000;      ///< up to this
  std::int64_t drain_ms = 10'000;          ///< after SIGTERM: time to publish what is sealed
};

struct Consumer {
  std::int64_t group_deltas = 8192;      ///< deltas committed at once, but whole batches
  std::int64_t queue_batches = 32;       ///< batches read ahead, per origin
  std::int64_t queue_bytes = 4'194'304;  ///< bytes read ahead, per origin
  std::int64_t gap_patience_ms = 5000;   ///< how long a missing batch may still turn up
  std::int64_t gap_retry_ms = 30'000;    ///< an origin stopped at a gap is tried again this often
  std::int64_t prune_ms = 1000;          ///< deferred removes are looked through this often
  std::int64_t scrub_keys_per_second = 100;  ///< views are compared with their states; 0: never
  std::int64_t backoff_first_ms = 50;        ///< wait after a first failure; doubles
  std::int64_t backoff_max_ms = 5000;        ///< up to this
};

struct ChangelogOptions {
  std::int64_t max_age_hours = 0;            ///< older segments go; 0: the whole history is kept
  std::int64_t max_bytes = 0;                ///< of one origin's changelog; 0: no limit by size
  std::int64_t segment_bytes = 104'857'600;  ///< of one file at the broker
};

struct ClockOptions {
  std::int64_t max_skew_ms = 1000;  ///< a timestamp further ahead of the relay is clamped
};

struct Logging {
  std::string level = "info";   ///< debug, info, warn, error
  std::string format = "text";  ///< text, json
};

/// host:port where a daemon serves Prometheus metrics; empty: nowhere.
struct MetricsPorts {
  std::string relay;
  std::string consumer;
};

/// A certificate or key that the topology names.
struct NamedFile {
  std::string key;  ///< where it stands, as in Mistake
  int line = 0;
  std::string path;
  std::string parameter = {};  ///< of a URL; empty: the key itself says which
  bool folder = false;
};

struct Topology {
  std::vector<Region> regions;  ///< in the order of the file
  std::vector<Origin> origins;
  Schema schema;
  Relay relay;
  Consumer consumer;
  ChangelogOptions changelog;
  ClockOptions clock;
  Logging logging;
  MetricsPorts metrics;
  bool allow_inline_passwords = false;  ///< URLs may hold passwords
  std::vector<NamedFile> files;         ///< in the order of the file

  /// nullptr when there is none of that name.
  [[nodiscard]] const Region* region(const RegionName& name) const;
  [[nodiscard]] const Origin* origin(const OriginName& name) const;
};

/// One thing wrong with a topology file.
struct Mistake {
  int line = 0;      ///< from 1; 0: the file as a whole
  int column = 0;    ///< from 1
  std::string key;   ///< full path, e.g. origins.shop_eu.region; empty: the file itself
  std::string what;  ///< with what to do
};

struct LoadedTopology {
  Topology topology;              ///< usable only without mistakes
  std::vector<Mistake> mistakes;  ///< in the order of the file; all of them
  std::vector<Mistake> warnings;  ///< what works, but perhaps not as it was meant
};

/// Reads and validates. Unknown keys are mistakes; a file that is not YAML is one mistake.
/// Relative file names in it count from its directory. Never throws.
[[nodiscard]] LoadedTopology load_topology(const std::string& path);
/// The same for what was read of the file at `path` already.
[[nodiscard]] LoadedTopology load_topology(const std::string& path, const std::string& yaml);
/// The same for a text; relative file names stay as they are.
[[nodiscard]] LoadedTopology parse_topology(const std::string& yaml);

/// Reads the passwords from files and environment; for processes that connect. Works, as far as
/// it can, on a topology with mistakes too.
[[nodiscard]] std::vector<Mistake> resolve_secrets(Topology& topology);

/// What certificates and keys cannot be read here; for whoever is about to use them.
[[nodiscard]] std::vector<Mistake> check_files(const Topology& topology);

/// The password as it stands in its file or variable now: passwords are rotated while daemons run.
/// What resolve_secrets() found, when it cannot be read.
[[nodiscard]] std::string password_now(const Credentials& credentials);

/// "file:line: key: what", or "file: key: what" without a line.
[[nodiscard]] std::string to_string(const std::string& file, const Mistake& mistake);

/// The address by which processes of `viewer` reach the broker of `owner`.
[[nodiscard]] const std::string& broker_url(const Region& owner, const RegionName& viewer);

/// The effective topology as YAML, defaults filled in, secrets left out.
[[nodiscard]] std::string render(const Topology& topology);

}  // namespace tributary::config
