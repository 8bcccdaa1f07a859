"""Views of a training run: curves, the page with a slider over steps, TensorBoard event files."""
