"""The page: one self-contained HTML file about a graph and its derivatives."""

from .show import Page as Page, html as html, show as show, write as write
