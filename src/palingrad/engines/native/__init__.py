"""The native engine: a Program compiled to machine code for this CPU, by LLVM."""
