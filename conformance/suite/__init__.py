"""The checks, one file for each area of the catalogue, or several by subject."""
