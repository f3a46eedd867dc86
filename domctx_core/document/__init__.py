"""Documents: an image as JSON and back, byte for byte, and the JSON Schema of that."""
