"""Requests that nobody wrote down: drawn, edited from legal ones, or told as stories and held against a model."""
