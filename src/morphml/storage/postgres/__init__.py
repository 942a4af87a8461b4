"""PostgreSQL as a store's database: several masters, any number of readers."""
