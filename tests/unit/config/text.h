/// A good topology to plant mistakes in, and what the parser says about it.
#pragma once

#include <string>
#include <vector>

#include "config/topology.h"

namespace tributary::config {

using Lines = std::vector<std::string>;

inline const Lines& good() {
  static const Lines kGood = {
      /* 1 */ "version: 1",
      /* 2 */ "regions:",
      /* 3 */ "  eu:",
      /* 4 */ "    broker: {url: \"amqp://127.0.0.1:5672\"}",
      /* 5 */ "    replica: {url: \"redis://127.0.0.1:6379/0\"}",
      /* 6 */ "  us:",
      /* 7 */ "    broker: {url: \"amqp://127.0.0.1:5673\"}",
      /* 8 */ "    replica: {url: \"redis://127.0.0.1:6380/0\"}",
      /* 9 */ "origins:",
      /* 10 */ "  shop_eu:",
      /* 11 */ "    region: eu",
      /* 12 */ "    database: \"postgresql://postgres@127.0.0.1/shop_eu\"",
      /* 13 */ "  till_us:",
      /* 14 */ "    region: us",
      /* 15 */ "    database: \"sqlite:///var/lib/till.db\"",
      /* 16 */ "keyspaces:",
      /* 17 */ "  - {pattern: \"stock:*\", type: counter}",
      /* 18 */ "  - {pattern: \"cart:*\", type: set}",
  };
  return kGood;
}

inline std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The good topology with line `number` (from 1) replaced.
inline std::string with_line(std::size_t number, const std::string& text) {
  Lines lines = good();
  lines.at(number - 1) = text;
  return joined(lines);
}

/// The good topology with lines from 19 on.
inline std::string with_end(const std::string& text) { return joined(good()) + text + "\n"; }

/// Every mistake as a user sees it, in a file named t.
inline Lines told(const std::vector<Mistake>& mistakes) {
  Lines lines;
  for (const Mistake& mistake : mistakes) lines.push_back(to_string("t", mistake));
  return lines;
}

inline Lines mistakes_in(const std::string& yaml) { return told(parse_topology(yaml).mistakes); }

}  // namespace tributary::config
