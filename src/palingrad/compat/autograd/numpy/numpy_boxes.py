"""What stands for arrays that are being differentiated."""

from ....graph.node import Node

ArrayBox = Node

__all__ = ["ArrayBox"]
