"""The shell that joins store, engine and the pure machines."""
