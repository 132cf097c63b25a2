"""A study: a plan frozen before the data are read, run in one go, told in plain French, redone by anyone."""
