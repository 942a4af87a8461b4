"""The protocol between workers and masters; the modules beside this one are generated from it."""
