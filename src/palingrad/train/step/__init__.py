"""The step of a training: what it minimises, its batches, and its random numbers."""
