"""Files and names that an attacker, a bug or a broken disk could make."""
