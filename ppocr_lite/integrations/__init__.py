"""Where people already work: one module for each tool, imported by nobody here."""
