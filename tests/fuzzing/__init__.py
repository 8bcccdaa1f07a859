"""Random graphs over all operations, run in every style and compared; see `python -m fuzzing -h`.

A graph is data (`program`), drawn at random (`generate`, `place`, `values`, `formulas`), run
eagerly, in Sessions, in functions (`run`) and in bodies of loops (`loops`), compared as strictly as
roundings allow (`rounding`, `compare`), and where an answer differs made small (`shrink`) and
printed as a program (`write`).
"""
