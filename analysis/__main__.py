"""``python -m analysis`` is ``aligntax``."""

from analysis.cli import main

if __name__ == "__main__":
    main()
