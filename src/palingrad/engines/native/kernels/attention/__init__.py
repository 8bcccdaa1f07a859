"""Attention in one kernel: products, a softmax or the like along their rows, and products again."""
