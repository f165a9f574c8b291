"""Run the command line as ``python -m nasctl``."""

from nasctl.cli.start import main

if __name__ == "__main__":
    main()
