"""``python -m essaim``: the command line, for an environment whose scripts are not on the path."""

from essaim.config.cli import main

if __name__ == "__main__":
    main()
