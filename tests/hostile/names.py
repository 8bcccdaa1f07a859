"""Names that nodes, scopes, functions and modules can have, and that formats must escape."""

from __future__ import annotations

NAMES = {
    "nul": "a\0b",
    "surrogate": "a\ud800b\udc00",
    "long": "n" * 100_000,
    "control": "a\x01\x1b[31m\x7f\x9bb",
    "right to left": "a\u202eb\u2066c\u200f",
    "CDATA": "]]>",
    "script": "</script><script>alert(1)</script><!--<script>",
    "quotes": "a\"b'c`d",
    "backslash": "a\\b\\",
    "newline": "a\nb\r\nc\u2028d\x85e",
    "percent": "%s%d%(x)s%%{init: {}}%%",
    "emoji": "👩\u200d👩\u200d👧🎉",
    "empty": "",
    "space": " ",
    "slash": "a/b//c/",
    "hash": "# ## a",
    "LaTeX": "\\end{aligned}$$ \\input{x} {_^&~",
    "HTML": "<b onload=alert(1)>&amp;&lt;",
    "comment": "-->*/ //",
    "DOT": '"];} digraph {',
    "Mermaid": 'end"] subgraph #quot; <br/>',
    "Python": '"""\nimport os\n"""',
    "keyword": "class",
    "expression": "__import__('os')",
    "noncharacter": "\uffff\ufdd0\ufeff",
    "template": "@@data@@ @@script@@ {0} ${x}",
}
