"""Convolutions and poolings over padded NHWC images, and their adjoints."""
