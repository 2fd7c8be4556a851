"""An auditor that shares no code with the product: what it knows stands in the files it reads.

Only the standard library. Its rules are written down again from the rules' page, not imported, so
that a mistake in the product is not repeated here.
"""
