"""Parts of neural networks: activations, normalisations, attention, resizing of images."""
