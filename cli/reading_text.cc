#include "cli/reading_text.h"

#include <algorithm>
#include <cstdint>

#include <nlohmann/json.hpp>

#include <tributary/base/bytes.h>

#include "base/text.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;
using crdt::ViewKind;

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(i + k > bytes.size() ? '=' : kDigits[three >> (18 - 6 * k) & 0x3f]);
    }
  }
  return out;
}

Json text_of(const std::string& bytes) {
  return is_utf8(bytes) ? Json(bytes) : Json{{"base64", base64(bytes)}};
}

bool is_mapping(ViewKind view) { return view == ViewKind::kHash || view == ViewKind::kSortedSet; }

/// Of a list's entry the value, of a set's the member.
const std::string& element(ViewKind view, const std::pair<std::string, std::string>& entry) {
  return view == ViewKind::kSet ? entry.first : entry.second;
}

Json mapping_of(const KeyReading& reading) {
  const bool named =
      std::ranges::all_of(reading.values, [](const auto& entry) { return is_utf8(entry.first); });
  Json out = named ? Json::object() : Json::array();
  for (const auto& [name, value] : reading.values) {
    if (named) out[name] = text_of(value);
    else out.push_back(Json::array({text_of(name), text_of(value)}));
  }
  return out;
}

/// The view: a text, a list of members or values, or an object.
Json value_of(const KeyReading& reading) {
  if (!reading.exists) return nullptr;
  if (reading.view == ViewKind::kString) return text_of(reading.values.front().second);
  if (is_mapping(reading.view)) return mapping_of(reading);
  Json list = Json::array();
  for (const auto& entry : reading.values) list.push_back(text_of(element(reading.view, entry)));
  return list;
}

/// Nothing in it that a terminal would obey: nlohmann leaves DEL and the control characters above
/// ASCII as they are. They can only stand in strings.
std::string dump(const Json& json) {
  const std::string raw = json.dump();
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto byte = static_cast<unsigned char>(raw[i]);
    const bool high = byte == 0xc2 && static_cast<unsigned char>(raw[i + 1]) < 0xa0;
    const unsigned char control = high ? static_cast<unsigned char>(raw[i + 1]) : byte;
    if (!high && byte != 0x7f) {
      out.push_back(raw[i]);
      continue;
    }
    const char one = static_cast<char>(control);
    out.append("\\u00").append(hex_of({&one, 1}));
    if (high) ++i;
  }
  return out;
}

bool is_plain(const std::string& value) {
  return !value.empty() && printable(value) == value && value.front() != '"' &&
         value.front() != '(' && value.front() != ' ' && value.back() != ' ';
}

std::string value_text(const KeyReading& reading) {
  if (!reading.exists) return "(none)";
  if (reading.view == ViewKind::kString) {
    const std::string& value = reading.values.front().second;
    return is_plain(value) ? value : in_quotes(value);
  }
  const bool mapping = is_mapping(reading.view);
  std::string out;
  for (const auto& entry : reading.values) {
    out += out.empty() ? "" : ",";
    out += mapping ? in_quotes(entry.first) + ":" + in_quotes(entry.second)
                   : in_quotes(element(reading.view, entry));
  }
  return mapping ? "{" + out + "}" : "[" + out + "]";
}

}  // namespace

std::string as_text(const KeyReading& reading) {
  const std::string type = reading.type.empty() ? "(no state: never written through Tributary)"
                                                : printable(reading.type);
  return "type:    " + type + "\nvalue:   " + value_text(reading) +
         "\ncontext: " + reading.context.token() + "\n";
}

std::string as_json(const std::string& key, const RegionName& region, const KeyReading& reading) {
  Json watermark = Json::object();
  for (const auto& [actor, seq] : reading.context) watermark[actor.hex()] = seq.value;
  return dump({{"key", text_of(key)},
               {"region", region.value},
               {"type", reading.type.empty() ? Json(nullptr) : text_of(reading.type)},
               {"exists", reading.exists},
               {"value", value_of(reading)},
               {"context", reading.context.token()},
               {"watermark", watermark}}) +
         "\n";
}

}  // namespace tributary::cli
