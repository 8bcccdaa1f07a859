"""How near two results must be: the package's own tolerances, under the tests' short name."""

from palingrad.proof.tolerances import assert_close as assert_close, assert_same as assert_same
