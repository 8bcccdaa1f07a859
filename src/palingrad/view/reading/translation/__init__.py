"""A graph as palingrad's own code, in another style than it was written in."""

from .translate import Style as Style, translate as translate
