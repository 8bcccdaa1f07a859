"""The steps of layered graph layout: ranks, dummy vertices of long edges, orders, coordinates."""
