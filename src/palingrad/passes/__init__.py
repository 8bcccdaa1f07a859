"""From a graph to a Program ready for an engine: one rewrite a file, each a pure function."""
