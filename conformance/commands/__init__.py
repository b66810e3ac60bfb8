"""The commands, a module each; the command line imports one only when it is called."""
