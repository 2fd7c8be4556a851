"""How facts lie in files: lines, journals, spools, books, documents."""
