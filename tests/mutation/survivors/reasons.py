"""Why a mutant isn't caught."""

from __future__ import annotations

FLAT = "equivalent: the slope is piecewise constant, so there is no derivative to lose"
ANY = "equivalent: the number stands where it is multiplied by 0, or only mustn't be 0"
WIDENED = "equivalent: another factor is in the wide dtype, to which NumPy converts both"
CAST = "equivalent: the pass that calls the rule casts to the dtype of the input, or of the result"
SUMMED = "equivalent: the reverse pass sums over what was broadcast"
SAME = "equivalent: the general case gives the same where the short cut is taken"
AXIS = "equivalent: there is one axis, or all others have size 1"
TIES = "equivalent: ties are taken out before"
REAL = "equivalent: for real numbers the complex formula gives the same"
ASKED = "equivalent: nobody asks for the gradient of an integer"
BOOLEAN = "equivalent: a boolean result never has a cotangent"
CHECKED = "equivalent: only what users' rules return is checked"
ALIKE = "the function changes with its derivative; `tests/ops/test_values.py` has its values"
SHIFT = "equivalent: what is subtracted and added again has no influence"
ABSORBS = (
    "only a cotangent of 0 and an infinite slope, or the reverse, make a difference; "
    "`tests/autodiff/test_absorbing.py` has those"
)
GUARDED = "equivalent: another guard takes out what isn't finite"
TRUTH = "equivalent: it is asked only whether it is true"
FAR = "equivalent: the slope is constant between the two bounds, in every dtype"
FAR_DOWN = (
    "below −40 only higher derivatives of numbers whose squares overflow make a difference; "
    "`tests/ops/test_stable.py` has those"
)
EMPTY = "equivalent: there is no element"
IEEE = "the other branch is that of `pg.set_ieee_gradients(True)`, which its own tests set"

NOTHING = "equivalent: no tangent is one of 0"
BOTH = "equivalent: both formulas hold there"
HALVES = (
    "equivalent: each formula holds beyond the bound too, and any number does where it isn't taken"
)
EVEN = "equivalent: the cosine is even and has the period 2π"
UNDERFLOWS = "equivalent: y is 0 there"
UNSCALED = "equivalent: how large a gap must be isn't differentiated"
THRESHOLD = "only which gaps count as 0 depends on it; `tests/ops/test_linalg.py` has such gaps"
DIAGONAL = "equivalent: it stands where p is 0, and need only be no gap that counts as 0"
SYMMETRIC = "equivalent: the function is symmetric"
UNREAD = "equivalent: only its shape or dtype is used"
LEAF = "equivalent: a constant has no derivative"
ZEROS = "equivalent: zeros of any dtype are cast"
NEGATIVE = "equivalent: NumPy takes any negative size as the one to be found"
ALIKE_MISSING = (
    "the function changes with its derivative; `tests/ops/test_missing.py` has its values"
)
PARAMETERS = (
    "only derivatives of higher order in the parameters make a difference; "
    "`tests/ops/test_special.py` has those"
)
SPARE = "equivalent: one slope more than is read"
PROMOTED = "equivalent: NumPy's promotion gives the same dtype"
SQUARE = "equivalent: the matrices are square"
WRAPPED = "equivalent: an array becomes a constant where a node is expected"
PATTERN = "equivalent: it counts only which elements are equal"
HERMITIAN = "equivalent: the Hermitian part is that of the adjoint"
LONGER = "equivalent: more ones, or more steps that multiply by 1"
PAIRED = "equivalent: two of them are multiplied, so that signs cancel"
INFINITE = "only infinite numbers above the diagonal, of which 0 makes NaN, make a difference"
CUTOFF = (
    "only which eigenvalues count as 0 depends on it; `tests/ops/test_stats.py` has singular "
    "covariances"
)
BETWEEN = "equivalent: no dtype's rounding is between the two"
OUTSIDE = "equivalent: elements outside the matrix aren't read"
ON_DIAGONAL = "equivalent: a row and a column have the same diagonal"
PHASE = (
    "only a gradient along the phase of a vector, which is refused, makes a difference; "
    "`tests/ops/test_linalg_complex.py` has some"
)
LENGTHS = (
    "eigenvalues don't depend on the lengths of vectors, nor does a gradient of theirs; "
    "`tests/ops/test_linalg_complex.py` has a function that does"
)
UNMOVED = "equivalent: the diagonal is 0, for vectors have length 1 and phases no gradient"
NOUGHT = "equivalent: it is 0"
TWO_NODES = (
    "only a graph in which two nodes stand for one output makes a difference; "
    "`tests/autodiff/test_transforms.py` has one"
)
ROUNDED = "only which numbers count as rounding beside a phase of 0 depends on it"
ONE_NODE = (
    "only a rule that returns one node for two inputs makes a difference; "
    "`tests/autodiff/test_transforms.py` has one"
)
UNREACHED = "equivalent: no cotangent reaches what isn't a float"
NONZERO = "equivalent: it counts only whether it is 0"
REGIONS = "only control flow is told what is needed; `tests/control/` has its derivatives"
NORMAL = "only second derivatives at df = ∞ make a difference; `tests/ops/test_stats.py` has those"
BY_DENSITY = "equivalent: the derivative in t is taken of the density"
OWN_DTYPE = (
    "only a rule of a user's whose tangent has another dtype makes a difference; "
    "`tests/autodiff/test_transforms.py` has one"
)
BELOW = "equivalent: what is added to t is below rounding, and only its square is used"
OF_CDF = "the value changes at df = ∞ and t = ±∞; the samples of `StudentCdf` have it"
