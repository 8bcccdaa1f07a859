"""What the densities of pg.stats need beyond special functions and linear algebra."""
