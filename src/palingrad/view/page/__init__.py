"""The page: one self-contained HTML file that shows a graph, its derivatives and how they come about."""

from .show import Page as Page, html as html, show as show, write as write
