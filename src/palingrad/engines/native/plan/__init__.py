"""From a Program to a schedule: lowering, fusion into groups, stages, in-place updates, memory."""
