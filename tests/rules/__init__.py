"""Rules by the dozen: pure values in, values out."""
