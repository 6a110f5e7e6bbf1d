"""One module per engine, each imported only when its engine is chosen, and what they share."""
