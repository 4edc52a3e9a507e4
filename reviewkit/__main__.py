"""`python -m reviewkit` is the command line."""

from reviewkit.cli import main

if __name__ == "__main__":
    main()
