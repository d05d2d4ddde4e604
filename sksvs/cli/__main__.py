"""Run the command line as ``python -m sksvs.cli``."""

from sksvs.cli import main

if __name__ == "__main__":
    main()
