"""``python -m vsim`` is the command ``vsim``."""

from vsim.cli import main

if __name__ == "__main__":
    main()
