"""The commands of ``aligntax``, one file a subject."""
