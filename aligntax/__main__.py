"""``python -m aligntax`` is ``aligntax``."""

from aligntax.analysis.cli import main

if __name__ == "__main__":
    main()
