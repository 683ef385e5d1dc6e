/// `tributary read`: what a key holds in a region, with the context for a later write.
#include <cstdio>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include <tributary/cli/command.h>
#include <tributary/cli/wiring.h>

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string config;
  std::string region;
  std::string key;
  bool json = false;
};

/// The view as JSON: a string, a list of members or values, or an object.
Json value_of(const KeyReading& reading) {
  if (!reading.exists) return nullptr;
  switch (reading.view) {
    case crdt::ViewKind::kString: return reading.values.front().second;
    case crdt::ViewKind::kHash:
    case crdt::ViewKind::kSortedSet: {
      Json object = Json::object();
      for (const auto& [name, value] : reading.values) object[name] = value;
      return object;
    }
    case crdt::ViewKind::kSet: {
      Json list = Json::array();
      for (const auto& [member, unused] : reading.values) list.push_back(member);
      return list;
    }
    case crdt::ViewKind::kList: break;
  }
  Json list = Json::array();
  for (const auto& [unused, value] : reading.values) list.push_back(value);
  return list;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // values may be any bytes
}

void print_text(const KeyReading& reading) {
  std::printf("type:    %s\n", reading.type.empty() ? "(no state: never written through Tributary)"
                                                    : reading.type.c_str());
  const Json value = value_of(reading);
  if (!reading.exists) std::printf("value:   (none)\n");
  else if (value.is_string()) std::printf("value:   %s\n", value.get<std::string>().c_str());
  else std::printf("value:   %s\n", dump(value).c_str());
  std::printf("context: %s\n", reading.context.token().c_str());
}

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  const auto region = find_region(topology, options.region);
  if (!region) return report(region.error());
  const auto store = replica_of(**region)();
  if (!store) return report(store.error());
  const auto reading = (*store)->read(options.key);
  if (!reading) return report(reading.error());
  if (!options.json) {
    print_text(*reading);
    return kOk;
  }
  Json context = Json::object();
  for (const auto& [actor, seq] : reading->context) context[actor.hex()] = seq.value;
  std::printf("%s\n", dump({{"key", options.key},
                            {"region", (*region)->name.value},
                            {"type", reading->type.empty() ? Json(nullptr) : Json(reading->type)},
                            {"exists", reading->exists},
                            {"value", value_of(*reading)},
                            {"context", reading->context.token()},
                            {"watermark", context}})
                          .c_str());
  return kOk;
}

}  // namespace

void add_read(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("read", "Print value, type and context of a key in a region");
  add_config_option(*command, options->config);
  command->add_option("--region", options->region, "Region to read in; default: the only one")
      ->type_name("NAME");
  command->add_flag("--json", options->json, "As one JSON object");
  command->add_option("key", options->key, "Key to read")->required();
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli
