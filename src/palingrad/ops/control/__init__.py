"""Control flow: loops and branches whose bodies are regions."""
