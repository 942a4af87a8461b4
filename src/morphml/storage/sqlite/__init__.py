"""SQLite as a store's database: one file, one claiming process, any number of readers."""
