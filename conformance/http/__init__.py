"""Everything that is sent: the API as a client sees it, the one seam for all traffic, and what is kept of it."""
