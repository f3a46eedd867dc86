"""Columns: many bodies of one fixed-size layout, held as arrays by field."""
