"""Training to look at: curves, the page that a slider moves through the steps, event files."""
