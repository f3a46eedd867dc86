"""Compare two images, record by record and field by field."""
