"""Search spaces: decisions, layers, their language, and the questions a space answers. Pure."""
