"""Pages: thin functions that ask the rooms and show their answer."""
