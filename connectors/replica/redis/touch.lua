-- Its KEYS are looked at before it runs, as those of a commit; what it runs, in case the user may
-- run scripts on other keys than commands.

for _, key in ipairs(KEYS) do
  if type(redis.pcall('EXISTS', key)) == 'table' then return 0 end
end
return 1
