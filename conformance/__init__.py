"""A conformance suite for the Genstore refund API."""

__version__ = "0.1.0"
