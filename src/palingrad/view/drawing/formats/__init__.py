"""The file formats of drawings: SVG, PNG, PDF, DOT, Mermaid and text."""
