"""The version, the one place where it stands; and when and how the package was loaded."""

import os
import time

__version__ = "0.1.0"
LOADED = time.time()  # sources that are newer than this aren't those that run
ENGINE = os.environ.get("PALINGRAD_ENGINE")  # which selects an engine, if it is set at that time
