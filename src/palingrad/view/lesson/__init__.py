"""Lessons: a page on which values are masked and answers to questions are judged, and its sheet."""

from .lesson import Lesson as Lesson, lesson as lesson
