"""`python -m swerun`."""

from swerun.cli import main

if __name__ == "__main__":
    main()
