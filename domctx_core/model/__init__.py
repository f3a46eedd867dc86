"""The model: what a plugin author subclasses (record types, formats, checks, domains, observers) and the tables of it."""
