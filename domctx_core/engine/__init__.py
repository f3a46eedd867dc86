"""The engine: saves a domain to an image and loads one, with the semantics of the seed's C engine."""
