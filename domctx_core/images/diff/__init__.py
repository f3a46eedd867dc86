"""What differs between two images, record by record and field by field."""
