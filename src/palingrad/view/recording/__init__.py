"""Recording runs onto a tape, keeping values within a budget, and computing a tape again."""
