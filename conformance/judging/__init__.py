"""From what was seen to what is said of it: the words of the checks, their verdicts, breaches and readings."""
