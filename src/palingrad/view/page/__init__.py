"""The page: a self-contained HTML file that shows a graph and its derivatives."""

from .show import Page as Page, html as html, show as show, write as write
