"""What derivative rules share: products with cotangents, and the arguments being differentiated."""
