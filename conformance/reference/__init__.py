"""The embedded reference: an honest, complete implementation of the page, to try the suite on and to break on purpose.

It does not know that faults exist, and it does not read ``spec/``: the two were written apart and check each other. The
words for orders and refunds, and the reading of JSON, are those of the suite.
"""
