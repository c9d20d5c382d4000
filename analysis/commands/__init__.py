"""The commands of ``aligntax``, one file per subject."""
