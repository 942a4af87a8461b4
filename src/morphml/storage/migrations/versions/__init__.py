"""One file for each step of the schema, numbered, frozen once released."""
