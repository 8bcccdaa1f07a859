"""Lessons: a page on which derivatives are asked for and answers judged, and its sheet."""
