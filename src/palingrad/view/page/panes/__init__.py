"""What the page shows beside the graph: source lines, equations, and the banner of a fault."""
