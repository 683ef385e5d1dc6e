-- Scripts that Redis runs: Lua 5.1 with its own globals.
std = "lua51"
read_globals = {"redis", "KEYS", "ARGV"}
max_line_length = 100
ignore = {
  "211/lowest",  -- one of many that unpack() names
  "42.", "43.",  -- short names for keys are given again in inner scopes
}
