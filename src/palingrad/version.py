"""The version, the one place where it stands; and when the package was loaded."""

import time

__version__ = "0.1.0"
LOADED = time.time()  # sources that are newer than this aren't those that run
