"""The report: one HTML page that shows all of an image, readable without a network or a script.

model.py says what the page says, as plain data; page.py writes it, and is what imports templates.
"""
