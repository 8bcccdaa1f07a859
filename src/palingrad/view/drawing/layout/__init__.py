"""The steps of a layered drawing: ranks, chains of places that edges pass, orders, coordinates."""
