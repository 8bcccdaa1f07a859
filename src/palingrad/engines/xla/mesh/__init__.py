"""Where arrays lie: on one device, or cut over those of a mesh; what devices do together."""
