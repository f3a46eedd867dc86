"""Verification: what is wrong with an input, finding by finding, record by record and in bulk."""
