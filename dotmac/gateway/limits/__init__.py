"""Rate limits: who may ask how often, counted in Redis by one Lua call.

`policies` is the table, `decide.lua` counts, `counter` calls it, `local` stands in
while Redis is away, `middleware` applies it. docs/security.md shows the table.
"""
