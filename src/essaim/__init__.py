"""Essaim: demonstrate, test, follow, evaluate and spread digital education in territories."""

__version__ = "0.1.0"
