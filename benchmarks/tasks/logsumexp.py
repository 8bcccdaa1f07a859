"""Log-sum-exp of rows of 1000."""

from tasks.rows import task

TASK = task("Log-sum-exp of rows of 1000", "logsumexp", moves=1.001)
